"""Findings of the security scan that are accepted: each has its reason, and the files it is for."""

from pathlib import Path

import pytest
import yaml

from loadtest.scan.explanations import FILE

PROJECT = Path(__file__).resolve().parents[2]
LEAST_CHARS = 40  # of a sentence that says something


def problems_of(text: str) -> list[str]:
    entries = [one for listed in yaml.safe_load(text).values() for one in listed]
    return [
        *(f"{one['id']} has no reason" for one in entries if len(one.get("statement", "")) < LEAST_CHARS),
        *(f"{one['id']} is accepted everywhere" for one in entries if not one.get("paths")),
        *(
            f"{one['id']} is accepted in more files than one path should name: {path}"
            for one in entries
            for path in one.get("paths", ())
            if "*" in path
        ),
    ]


def test_every_explanation_has_a_reason_and_names_its_files():
    assert problems_of((PROJECT / FILE).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{id: X, paths: [Dockerfile], statement: fine}", "X has no reason"),
        (f"{{id: X, statement: {'a reason ' * 9}}}", "X is accepted everywhere"),
        (f"{{id: X, paths: ['**'], statement: {'a reason ' * 9}}}", "more files than one"),
    ],
)
def test_an_explanation_that_explains_little_is_found(entry: str, problem: str):
    (found,) = problems_of(f"misconfigurations: [{entry}]")
    assert problem in found
