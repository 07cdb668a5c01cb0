"""report.json comes back as the same value; its published schema is the model's and accepts real reports.

`make docs` writes the schema anew.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from loadtest.errors import UsageError
from loadtest.report import json_format
from loadtest.report.model import AnyReport
from tests.unit.report.test_formats import REPORTS

SCHEMA_FILE = Path(__file__).parents[3] / "docs" / "report.schema.json"


def as_dict(report: AnyReport) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(json_format.render(report))
    return value


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(SCHEMA_FILE.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_comes_back_as_the_value_it_was(name: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(json_format.render(REPORTS[name]))
    assert REPORTS[name] == json_format.load(file)


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_fits_the_published_schema(name: str, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(as_dict(REPORTS[name]))


def test_the_published_schema_is_the_one_of_the_model() -> None:
    assert json_format.schema() == SCHEMA_FILE.read_text(), (
        "the model or a description in it has changed: `make docs` writes docs/report.schema.json anew; "
        "raise SCHEMA_VERSION where a field changed its meaning or went away"
    )


PLANTED = {
    "a field that is gone": lambda report: report.pop("summary"),
    "a figure that is text": lambda report: report["window"].update(started_unix_ns="now"),
    "an unknown verdict": lambda report: report["verdict"].update(status="fine"),
    "a stage that was neither ok nor failed": lambda report: report["timings"][0].update(outcome="skipped"),
    "another schema version": lambda report: report.update(schema_version=2),
    "an unknown kind": lambda report: report.update(kind="guessed"),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_schema_and_reader_both_refuse_a_report_with(
    fault: str, validator: jsonschema.Draft202012Validator
) -> None:
    report = as_dict(REPORTS["passed"])
    PLANTED[fault](report)
    assert not validator.is_valid(report)
    with pytest.raises(UsageError, match="not a report of the schema"):
        json_format.parse(json.dumps(report))


def test_text_that_is_not_json_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="not a report"):
        json_format.parse(b"\xff{")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no report to read at .*report\.json"):
        json_format.load(tmp_path / "report.json")
