"""`python -m loadtest.report.reference`: docs/report.schema.json, and docs/report-fields.md for people.

Both come from the model alone. Leaves out how figures are measured, which other pages explain.
"""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from loadtest.report import json_format

DOCS = Path(__file__).resolve().parents[2] / "docs"
_HEAD = """\
# Every field of report.json

Made from the report's own types by `make docs`, as is [its JSON Schema](report.schema.json).
What the parts are for and where resources come from: [artifacts](artifacts.md).
How percentiles and rates are reckoned: [samples](samples.md).
How a run is judged: [objectives](objectives.md).
Units stand in the names; "None" is `null` in the file; "optional" fields have a default."""


def reference(schema: Mapping[str, Any]) -> str:
    """The page's text. Pure."""
    sections = ("\n".join(_section(name, value)) for name, value in schema["$defs"].items())
    return "\n\n".join((_HEAD, *sections)) + "\n"


def _section(name: str, declared: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {name}"
    if description := declared.get("description"):
        yield "\n" + re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(description))
    if "enum" in declared:
        yield "\nOne of " + _kind(declared) + "."
        return
    required = declared.get("required", ())
    yield "\n| field | type | |"
    yield "| --- | --- | --- |"
    for field, value in declared["properties"].items():
        yield f"| `{field}` | {_kind(value)} | {'' if field in required else 'optional'} |"


def _kind(value: Mapping[str, Any]) -> str:
    """A JSON Schema's type in words, with a link where it is a type of the page's own."""
    match value:
        case {"$ref": reference}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": choices}:
            return " or ".join(_kind(choice) for choice in choices)
        case {"enum": choices}:
            return ", ".join(f"`{json.dumps(choice)}`" for choice in choices)
        case {"type": "array", "items": items}:
            return f"list of {_kind(items)}"
        case {"type": "object", "additionalProperties": values}:
            return f"mapping to {_kind(values)}"
        case _:
            return str(value["type"])


if __name__ == "__main__":
    text = json_format.schema()
    (DOCS / "report.schema.json").write_text(text, encoding="utf-8")
    (DOCS / "report-fields.md").write_text(reference(json.loads(text)), encoding="utf-8")
