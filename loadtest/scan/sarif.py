"""Several SARIF documents as one with a single run: the Security tab takes one run for a category. Pure."""

from collections.abc import Iterable
from typing import Any


def merged(documents: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The results of all, each with the rule that it names; the rest is the first document's."""
    every = list(documents)
    first = every[0]
    runs = [run for document in every for run in document["runs"]]
    rules = {rule["id"]: rule for run in runs for rule in run["tool"]["driver"].get("rules", ())}
    # An index points into the rules of the document that a result comes from.
    results = [
        {name: value for name, value in result.items() if name != "ruleIndex"}
        for run in runs
        for result in run.get("results", ())
    ]
    driver = {**first["runs"][0]["tool"]["driver"], "rules": list(rules.values())}
    run = {**first["runs"][0], "tool": {"driver": driver}, "results": results}
    return {**first, "runs": [run]}
