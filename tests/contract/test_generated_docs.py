"""The pages that `make docs` writes say what the program says today."""

import copy
import json
from pathlib import Path

import pytest

from infra import reference as settings_page
from infra.paths import PROJECT_FILE
from infra.project_file import read_yaml, schema
from loadtest.report import json_format
from loadtest.report import reference as fields_page

DOCS = Path(__file__).resolve().parents[2] / "docs"
STALE = "`make docs` writes it anew"
PROJECT = read_yaml(PROJECT_FILE)
FIELDS = json.loads(json_format.schema())


def test_the_page_of_settings_is_that_of_the_project_file() -> None:
    assert settings_page.reference(PROJECT) == settings_page.PAGE.read_text(encoding="utf-8"), STALE


def test_the_page_of_fields_is_that_of_the_model() -> None:
    page = (DOCS / "report-fields.md").read_text(encoding="utf-8")
    assert fields_page.reference(FIELDS) == page, STALE


def test_every_setting_has_one_row_with_its_default() -> None:
    rows = settings_page.reference(PROJECT).splitlines()
    for key, declared in schema(PROJECT).items():
        (row,) = (row for row in rows if row.startswith(f"| `{key}` |"))
        assert f"| `{json.dumps(declared['default'])}` |" in row


@pytest.mark.parametrize("part", ["default", "description", "type"])
def test_another_word_in_the_project_file_is_another_page(part: str) -> None:
    changed = copy.deepcopy(dict(PROJECT))
    changed["config"]["ingress_port"][part] = "another"
    assert settings_page.reference(changed) != settings_page.reference(PROJECT)


def test_what_a_page_would_take_for_markup_is_shown_as_it_is() -> None:
    changed = copy.deepcopy(dict(PROJECT))
    changed["config"]["ingress_port"]["description"] = "a <b> | c"
    assert r"a &lt;b> \| c |" in settings_page.reference(changed)


def test_every_type_of_the_report_has_a_section_with_all_its_fields() -> None:
    sections = fields_page.reference(FIELDS).split("\n## ")[1:]
    found = {section.partition("\n")[0]: section for section in sections}
    assert found.keys() == FIELDS["$defs"].keys()
    for name, declared in FIELDS["$defs"].items():
        missing = [field for field in declared.get("properties", {}) if f"| `{field}` |" not in found[name]]
        assert [] == missing, name
