"""The workflow keeps its promises: pinned actions, least permissions, an end, clean-up whatever happens.

`problems_of` is the whole rule book; the tests below it plant one fault each and see it found.
"""

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
WORKFLOW = PROJECT / ".github" / "workflows" / "loadtest.yml"

# The first release of Trivy after those of March 2026 that were compromised.
TRIVY_OLDEST = (0, 70)
PINNED_ACTION = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$")
PERMISSIONS = {"contents": "read", "pull-requests": "write", "security-events": "write"}
STEPS = [
    "Check out",
    "Set up",
    "Test",
    "Scan the configuration",
    "Publish the scan",
    "Preview",
    "Deploy",
    "Load test",
    "Comment",
    "Destroy",
    "Destroy leftovers",
    "Keep the artifacts",
]
ALWAYS = {"Comment", "Destroy", "Destroy leftovers", "Keep the artifacts"}
ADVISORY = {"Scan the configuration", "Publish the scan"}


def problems_of(text: str, *, pulumi_version: str) -> list[str]:
    workflow = yaml.safe_load(text)
    job = workflow["jobs"]["loadtest"]
    steps = {step["name"]: step for step in job["steps"]}
    return [
        *_pins(text),
        *_frame(workflow, job),
        *_order(job["steps"], steps),
        *_pulumi(job["steps"], pulumi_version),
        *_trivy(steps),
        *_secrets(job["steps"], steps),
    ]


def _pins(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if (used := re.search(r"\buses:\s*(.*)$", line)) and not PINNED_ACTION.match(used[1]):
            yield f"not pinned by commit with its version: {used[1]}"


def _frame(workflow: dict, job: dict) -> Iterator[str]:
    # YAML 1.1 reads a bare `on` as true.
    if workflow[True] != {"pull_request": {"branches": ["main"]}}:
        yield f"runs on {workflow[True]}"
    if workflow.get("permissions") != {}:
        yield "jobs get permissions they do not name"
    if job.get("permissions") != PERMISSIONS:
        yield f"permissions are {job.get('permissions')}"
    if not 0 < job.get("timeout-minutes", 0) <= 120:
        yield "the job has no sensible time limit"
    concurrency = workflow.get("concurrency", {})
    if "pull_request.number" not in concurrency.get("group", "") or not concurrency.get("cancel-in-progress"):
        yield "two runs of one pull request stand side by side"


def _order(listed: list[dict], steps: dict[str, dict]) -> Iterator[str]:
    if (names := [step["name"] for step in listed]) != STEPS:
        yield f"steps are {names}"
    for name in ALWAYS & steps.keys():
        if steps[name].get("if") != "always()":
            yield f"{name!r} does not run whatever happens"
    if "steps.deploy.outcome" not in steps.get("Load test", {}).get("if", ""):
        yield "a failed deployment is explained to nobody"
    for name in ADVISORY & steps.keys():
        if steps[name].get("continue-on-error") is not True:
            yield f"{name!r} can fail the run"


def _pulumi(listed: list[dict], version: str) -> Iterator[str]:
    for step in listed:
        if step.get("uses", "").startswith("pulumi/actions@"):
            inputs = step["with"]
            if str(inputs.get("pulumi-version")) != version:
                yield f"{step['name']!r} uses pulumi {inputs.get('pulumi-version')}, the toolchain {version}"
            if not inputs.get("cloud-url", "").startswith("file://"):
                yield f"{step['name']!r} does not use the file backend"
            if inputs.get("remove"):
                yield f"{step['name']!r} removes the stack, and with it its committed config"


def _trivy(steps: dict[str, dict]) -> Iterator[str]:
    version = steps["Scan the configuration"].get("with", {}).get("version", "latest")
    if not re.fullmatch(r"v\d+\.\d+\.\d+", version):
        yield f"Trivy is not pinned: {version}"
    elif tuple(int(part) for part in version[1:].split(".")) < TRIVY_OLDEST:
        yield f"Trivy {version} is of the time of the compromised releases, or older"


def _secrets(listed: list[dict], steps: dict[str, dict]) -> Iterator[str]:
    for step in listed:
        if step["name"] != "Comment" and "github.token" in str(step):
            yield f"{step['name']!r} sees the token"
    if steps["Check out"].get("with", {}).get("persist-credentials") is not False:
        yield "the token stays in the checkout"
    kept = steps["Keep the artifacts"]["with"]["path"].split()
    if kept != ["artifacts/", "trivy.sarif"]:
        yield f"more is kept than results, kubeconfigs maybe: {kept}"


@pytest.fixture
def text() -> str:
    return WORKFLOW.read_text(encoding="utf-8")


@pytest.fixture
def pulumi_version() -> str:
    pins = tomllib.loads((PROJECT / "toolchain" / "pins.toml").read_text(encoding="utf-8"))
    return pins["pulumi"]["version"]


def test_the_workflow_breaks_no_rule(text, pulumi_version):
    assert problems_of(text, pulumi_version=pulumi_version) == []


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (lambda text: re.sub(r"checkout@[0-9a-f]{40}", "checkout@v7", text), "not pinned by commit"),
        (lambda text: text.replace(" # v7.0.1", "", 1), "not pinned by commit"),
        (lambda text: text.replace("pull_request:", "pull_request_target:", 1), "runs on"),
        (lambda text: text.replace("permissions: {}", "permissions: write-all"), "do not name"),
        (lambda text: text.replace("contents: read", "contents: write"), "permissions are"),
        (lambda text: text.replace("    timeout-minutes: 100\n", ""), "time limit"),
        (lambda text: text.replace("cancel-in-progress: true", "cancel-in-progress: false"), "side by side"),
        (lambda text: text.replace("name: Preview", "name: Peek"), "steps are"),
        (lambda text: text.replace("if: always()", "if: success()", 1), "'Comment' does not run"),
        (
            lambda text: text.replace("if: always()\n        uses: pulumi", "uses: pulumi"),
            "'Destroy' does not",
        ),
        (lambda text: text.replace("steps.deploy.outcome", "steps.preview.outcome"), "explained to nobody"),
        (lambda text: text.replace("continue-on-error: true\n        timeout-minutes: 5", ""), "can fail"),
        (lambda text: re.sub(r"pulumi-version: 3\.\d+\.0", "pulumi-version: 3.1.0", text), "pulumi 3.1.0"),
        (lambda text: text.replace("version: v0.72.0", "version: v0.69.4"), "compromised"),
        (lambda text: text.replace("version: v0.72.0", "version: latest"), "Trivy is not pinned"),
        (lambda text: text.replace("cloud-url: file://", "cloud-url: s3://"), "file backend"),
        (
            lambda text: text.replace("command: destroy", "command: destroy\n          remove: true"),
            "removes the",
        ),
        (
            lambda text: text.replace(
                "run: make test", "run: make test\n        env: {T: '${{ github.token }}'}"
            ),
            "sees the token",
        ),
        (lambda text: text.replace("persist-credentials: false", "fetch-depth: 1"), "stays in the checkout"),
        (lambda text: text.replace("            artifacts/\n", "            ./\n"), "more is kept"),
    ],
)
def test_a_planted_fault_is_found(text, pulumi_version, wrong: Callable[[str], str], found: str):
    faulty = wrong(text)
    assert faulty != text, "the fault was not planted: the workflow's wording has changed"
    assert any(found in problem for problem in problems_of(faulty, pulumi_version=pulumi_version))
