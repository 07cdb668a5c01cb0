"""What the docs name is there: files, `make` targets, verbs and flags, exit codes, settings.

`problems_of` is the rule book for one page; the tests below it plant faults and see them found. Leaves out
whether what the pages say is true.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from loadtest.artifacts import REPORT_FILES, Artifacts
from loadtest.exit_codes import ExitCode
from loadtest.report.model import FailureReport, Report
from loadtest.slo_metrics import METRICS
from tests.commands import problems_of_command
from tests.shown_commands import problems_of_line

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for page in (*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("tests/**/*.md"))
    if "golden" not in page.parts
)
# Made on the machine, so not in the repository; not even their first folder need be there.
GENERATED = (".venv/", ".toolchain/", ".pulumi-state/", ".kubeconfigs/", "artifacts/", "~/", "$")
FILE = re.compile(r"[\w.*<>-]+(/[\w.*<>-]+)*/?")
# With a stack it is meant to be typed; without one it may be but the name of a verb.
WHOLE_COMMAND = re.compile(r"(?:make|python3?|pulumi) [^<|…]*(?:\bSTACK=|--stack )[a-z][^<|…]*")
SUFFIXES = {".py", ".md", ".yaml", ".yml", ".toml", ".json", ".txt", ".html", ".go", ".mod", ".sum"}


def problems_of(text: str, *, page: Path) -> list[str]:
    code = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    shell = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", prose)
    return [
        *(
            problem
            for command in ["".join(shell), *filter(WHOLE_COMMAND.fullmatch, spans)]
            for line in command.splitlines()
            for problem in problems_of_line(line)
        ),
        *_links(prose, page.parent),
        *(problem for span in spans for problem in _path(span, page.parent)),
        *(
            problem
            for command in [*spans, *"".join(code).splitlines()]
            for problem in problems_of_command(command)
        ),
    ]


def _links(prose: str, folder: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        file, _, anchor = target.partition("#")
        if "://" in file:
            continue
        linked = (folder / file).resolve() if file else None
        if linked and not linked.exists():
            yield f"links to {target}, which is not there"
        elif linked and anchor and anchor not in _anchors(linked):
            yield f"links to {target}: that page has no such heading"


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def _path(span: str, folder: Path) -> Iterator[str]:
    if not FILE.fullmatch(span) or span.startswith(GENERATED) or "<" in span:
        return
    top = span.split("/")[0]
    if "/" in span and not (top in _tops() or Path(span).suffix in SUFFIXES or span.endswith("/")):
        return  # an image, a repository, a resource: something with a slash in its name
    if "/" not in span and (Path(span).suffix not in SUFFIXES or re.search(r"\d\.\d", span)):
        return  # a word, or a file of upstream's with its version in the name
    name = span.rstrip("/")
    if not any((*PROJECT.glob(name), *folder.glob(name))) and name not in _bare_names():
        yield f"names {span}, which is not there"


@cache
def _tops() -> frozenset[str]:
    return frozenset(entry.name for entry in PROJECT.iterdir())


@cache
def _made() -> frozenset[str]:
    """The names of what a run leaves, from the one place that knows them."""
    results = Artifacts(root=Path("artifacts"))
    attributes = (getattr(results, name) for name in dir(results) if not name.startswith("_"))
    named = {value.name for value in attributes if isinstance(value, Path)} - {results.root.name}
    return frozenset(named | {*REPORT_FILES.values()})


@cache
def _bare_names() -> frozenset[str]:
    """Files that a page may name without their folder: those there are, and those the code makes."""
    ours = ("infra", "loadtest", "toolchain", "tests", "bench", "docs", ".github")
    there = {file.name for folder in ours for file in (PROJECT / folder).rglob("*.*")}
    return frozenset(there | {*re.findall(r"[\"/]([\w.-]+)\"", _source())})


@cache
def _source() -> str:
    packages = ("infra", "loadtest", "toolchain")
    modules = (file for package in packages for file in sorted(PROJECT.glob(f"{package}/**/*.py")))
    return "\n".join(file.read_text(encoding="utf-8") for file in modules)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_everything_a_page_names_is_there(page):
    assert problems_of(page.read_text(encoding="utf-8"), page=page) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("see [this](docs/gone.md)", "links to docs/gone.md"),
        ("see [this](README.md#no-such-heading)", "no such heading"),
        ("it is in `loadtest/gone.py`", "names loadtest/gone.py"),
        ("it is in `lodtest/cli.py`", "names lodtest/cli.py"),
        ("it is in `gone.py`", "names gone.py"),
        ("it is in `infra/gone/`", "names infra/gone/"),
        ("call `make runn`", "`make runn`"),
        ("```sh\nmake tests  # all\n```\n", "`make tests`"),
        ("call `python -m loadtest ruin --stack ci`", "`loadtest ruin`"),
        ("```sh\npython -m loadtest run --stack ci --rps 5\n```\n", "--rps of `loadtest run`"),
        ("```sh\npython -m loadtest run --request 5\n```\n", "--request of `loadtest run`"),
        ("call `python3 -m toolchain setup --with build`", "--with of `toolchain setup`"),
        ("```sh\nmake run STACK=gone\n```\n", "the stack gone"),
        ("call `pulumi up --stack gone`", "the stack gone"),
        ("```sh\npython -m loadtest run --engine curl\n```\n", "curl"),
        ("```sh\npython -m loadtest run --profile users\n```\n", "builtin"),
        ("  ```sh\n  python -m loadtest init --stack ci\n  ```\n", "--into"),
        ("```sh\npython3 -m toolchain setup --from moon\n```\n", "moon"),
        ("```sh\npulumi upp --stack ci\n```\n", "`pulumi upp`, which is no verb"),
        ("```sh\npulumi up --stack ci --now\n```\n", "--now of `pulumi up`"),
        ("call `pulumi config set ingress_prot 1 --stack ci`", "ingress_prot, which is no setting"),
        ("```sh\n.venv/bin/python -m pytest tests/gone\n```\n", "tests/gone"),
        ("```sh\nloadproof run\n```\n", "loadproof, which nobody checks"),
    ],
)
def test_a_page_that_names_what_is_not_there_is_found_out(line, found):
    assert any(found in problem for problem in problems_of(line, page=PROJECT / "README.md"))


@pytest.mark.parametrize(
    "line",
    [
        "[the licence](LICENSE), [elsewhere](https://example.org/x.md)",
        "`loadtest/cli.py`, `infra/`, `report.json`, `artifacts/anything.json`, `Pulumi.<stack>.yaml`",
        "the image `hashicorp/http-echo:1.0.0` of `hashicorp/http-echo`, `.venv/bin/activate`",
        "`python -m loadtest run --stack ci --requests 5`, `make run STACK=ci`",
    ],
)
def test_a_page_that_names_what_is_there_passes(line):
    assert problems_of(line, page=PROJECT / "README.md") == []


def unknown_symptoms(text: str) -> list[str]:
    """Quoted messages that no module says; `...` stands for what is filled in."""
    quoted = re.findall(r'^\*\*"([^"]+)"', text, re.MULTILINE)
    parts = (part.strip(" ,") for symptom in quoted for part in symptom.split("..."))
    return [part for part in parts if part not in _source()]


def test_every_quoted_symptom_is_a_message_of_the_project():
    page = (PROJECT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    assert unknown_symptoms(page) == []
    assert unknown_symptoms('**"the moon is ... of cheese"**: no.') == ["the moon is", "of cheese"]


def test_every_file_and_every_field_of_the_report_is_explained():
    page = (PROJECT / "docs" / "artifacts.md").read_text(encoding="utf-8")
    fields = {*Report.__struct_fields__, *FailureReport.__struct_fields__}
    files = {name if "." in name else f"{name}/" for name in _made()}
    assert {name for name in files | fields if f"`{name}`" not in page} == set()


def test_the_readme_lists_exactly_the_exit_codes_there_are():
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d+) \| ", readme, re.MULTILINE)
    assert [int(code) for code in listed] == sorted(ExitCode)


def test_the_readme_names_only_settings_there_are():
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    settings = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    named = re.findall(r"loadproof:(\w+)|config set (\w+)|one setting, `(\w+)`", readme)
    assert named
    assert {next(filter(None, groups)) for groups in named} <= settings.keys()


def test_every_metric_that_can_have_limits_is_explained() -> None:
    page = (PROJECT / "docs" / "objectives.md").read_text(encoding="utf-8")
    assert [] == [metric for metric in METRICS if f"`{metric}`" not in page]


def not_listed(index: str, pages: Iterable[Path]) -> list[str]:
    return [page.name for page in pages if f"]({page.name})" not in index]


@pytest.mark.parametrize("folder", ["docs", "docs/adr"])
def test_an_index_lists_every_page_beside_it(folder: str) -> None:
    pages = [page for page in (PROJECT / folder).glob("*.md") if page.name != "README.md"]
    index = (PROJECT / folder / "README.md").read_text(encoding="utf-8")
    assert [] == not_listed(index, pages)
    assert ["new.md"] == not_listed(index, [Path("new.md")])
