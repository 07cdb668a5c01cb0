"""The workflows keep their promises: pinned actions, least permissions, an end, clean-up whatever happens.

`problems_of` is the whole rule book; the tests below it plant one fault each and see it found.
"""

import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.commands import problems_of_command

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / ".github" / "workflows"

PINNED_ACTION = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$")
OWN_COMMAND = re.compile(r"make [a-z-]+|python -m loadtest [a-z]+( .*)?|python3 -m toolchain [a-z]+( .*)?")
LONGEST_JOB_MINUTES = 120

ON = {
    "ci": {"push": {"branches": ["main"]}, "pull_request": None},
    "loadtest": {
        "pull_request": {
            "branches": ["main"],
            "types": ["opened", "synchronize", "reopened", "unlabeled"],
        }
    },
    "loadtest-comment": {"workflow_run": {"workflows": ["loadtest"], "types": ["completed"]}},
    "loadtest-command": {"issue_comment": {"types": ["created"]}},
    "loadtest-nightly": {"schedule": [{"cron": "17 3 * * *"}], "workflow_dispatch": None},
}
READ = {"contents": "read"}
PERMISSIONS = {
    "ci": {"test": READ},
    "loadtest": {
        "skip": READ | {"statuses": "write"},
        "loadtest": READ
        | {"actions": "read", "pull-requests": "write", "security-events": "write", "statuses": "write"},
    },
    "loadtest-comment": {
        "comment": READ | {"actions": "read", "pull-requests": "write", "statuses": "write"}
    },
    "loadtest-command": {
        "command": READ | {"actions": "write", "pull-requests": "write", "statuses": "write"}
    },
    "loadtest-nightly": {"measure": READ, "history": {"contents": "write"}},
}
SEES_THE_TOKEN = {
    *("Say so in the commit's status", "Comment", "Get the artifact"),
    *("Carry it out", "Keep the history"),
}
KEPT = {"artifacts/"}
STEPS = [
    "Check out",
    "Restore tools and images",
    "Set up",
    "Keep the images",
    "Keep tools and images",
    "Validate",
    "Test",
    "Scan",
    "Publish the scan of the repository",
    "Publish the scan of the manifests",
    "Publish the scan of the images",
    "Preview",
    "Deploy",
    "Load test",
    "Comment",
    "Destroy",
    "Destroy leftovers",
    "Keep the artifacts",
]
ALWAYS = {"Comment", "Destroy", "Destroy leftovers", "Keep the artifacts"}
ADVISORY = {step for step in STEPS if "scan" in step.lower()}


def problems_of(name: str, text: str) -> list[str]:
    workflow = yaml.safe_load(text)
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    found = [
        *_pins(text),
        *_frame(name, workflow),
        *_steps(steps),
        *_pulumi(steps),
        *_categories(steps),
        *_comments(steps),
    ]
    return [*found, *(_loadtest(workflow) if name == "loadtest" else ())]


def _pins(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if (used := re.search(r"\buses:\s*(.*)$", line)) and not PINNED_ACTION.match(used[1]):
            yield f"not pinned by commit with its version: {used[1]}"


def _frame(name: str, workflow: dict) -> Iterator[str]:
    # YAML 1.1 reads a bare `on` as true.
    if workflow[True] != ON[name]:
        yield f"runs on {workflow[True]}"
    if workflow.get("permissions") != {}:
        yield "jobs get permissions they do not name"
    for job_name, job in workflow["jobs"].items():
        if job.get("permissions") != PERMISSIONS[name].get(job_name):
            yield f"permissions of {job_name} are {job.get('permissions')}"
        if not 0 < job.get("timeout-minutes", 0) <= LONGEST_JOB_MINUTES:
            yield f"{job_name} has no sensible time limit"
        if job_name != "skip" and "group" not in (job | workflow).get("concurrency", {}):
            yield f"two runs of {job_name} stand side by side"
        # A workflow's own group is entered by runs that then skip the job, and each turns out one that waits.
        if "concurrency" in workflow and "github.event" in job.get("if", ""):
            yield f"an event that {job_name} is not for takes the place of one that waits"
        if "author_association" in job.get("if", ""):
            yield "a private member of the organization is taken for a stranger"


def _steps(steps: list[dict]) -> Iterator[str]:
    for step in steps:
        inputs = step.get("with", {})
        for line in step.get("run", "").splitlines():
            yield from _line(line)
        if "github.token" in str(step) and step["name"] not in SEES_THE_TOKEN:
            yield f"{step['name']!r} sees the token"
        if step.get("uses", "").startswith("actions/checkout@"):
            if inputs.get("persist-credentials") is not False:
                yield "the token stays in the checkout"
            if "ref" in inputs:
                yield "another commit than the event's is checked out"
        if "run-id" in inputs and inputs.get("skip-decompress") is not True:
            yield "another run's artifact is unpacked"
        # What set-up gets is what the stack's file names: a cache of before it names k6 has no k6, ever.
        if (
            step.get("uses", "").startswith("actions/cache/restore@")
            and "Pulumi.{0}.yaml" not in inputs["key"]
        ):
            yield "the cache is not of the stack's file"
        if step.get("uses", "").startswith("actions/upload-artifact@") and inputs["path"] not in KEPT:
            yield f"more is kept than results, kubeconfigs maybe: {inputs['path']}"


def _comments(steps: list[dict]) -> Iterator[str]:
    for step in steps:
        quiet = step.get("env", {}).get("LOADPROOF_COMMENT")
        if "loadtest comment" in step.get("run", "") and quiet != "${{ vars.LOADPROOF_COMMENT }}":
            yield f"{step['name']!r} cannot be told to be quiet"


def _line(line: str) -> Iterator[str]:
    if "${{" in line:
        yield f"what a workflow is told becomes part of a command: {line}"
    if not OWN_COMMAND.fullmatch(line):
        yield f"shell that no test runs: {line}"
    yield from problems_of_command(line)


def _pulumi(steps: list[dict]) -> Iterator[str]:
    pins = tomllib.loads((PROJECT / "toolchain" / "pins.toml").read_text(encoding="utf-8"))
    version = pins["pulumi"]["version"]
    for step in steps:
        if step.get("uses", "").startswith("pulumi/actions@"):
            inputs = step["with"]
            if str(inputs.get("pulumi-version")) != version:
                yield f"{step['name']!r} uses pulumi {inputs.get('pulumi-version')}, the toolchain {version}"
            if not inputs.get("cloud-url", "").startswith("file://"):
                yield f"{step['name']!r} does not use the file backend"
            if inputs.get("remove"):
                yield f"{step['name']!r} removes the stack, and with it its committed config"


def _categories(steps: list[dict]) -> Iterator[str]:
    categories = [step["with"]["category"] for step in steps if "category" in step.get("with", {})]
    if len(set(categories)) != len(categories):
        yield f"two scans have the same category: {categories}"


def _loadtest(workflow: dict) -> Iterator[str]:
    job = workflow["jobs"]["loadtest"]
    steps = {step["name"]: step for step in job["steps"]}
    if list(steps) != STEPS:
        yield f"steps are {list(steps)}"
    for name in ALWAYS & steps.keys():
        if steps[name].get("if") != "always()":
            yield f"{name!r} does not run whatever happens"
    yield from _explained(steps)
    for name in ADVISORY & steps.keys():
        if steps[name].get("continue-on-error") is not True:
            yield f"{name!r} can fail the run"
    concurrency = job["concurrency"]
    if "pull_request.number" not in concurrency["group"] or not concurrency["cancel-in-progress"]:
        yield "two runs of one pull request stand side by side"
    for other in workflow["jobs"].values():
        if "skip-loadtest" not in other.get("if", ""):
            yield "the label skip-loadtest changes nothing"


def _explained(steps: dict[str, dict]) -> Iterator[str]:
    if "steps.deploy.outcome" not in steps.get("Load test", {}).get("if", ""):
        yield "a failed deployment is explained to nobody"
    if steps["Comment"]["env"].get("LOADPROOF_JOB_STATUS") != "${{ job.status }}":
        yield "a step that failed before the load test is kept quiet"


def read(name: str) -> str:
    return (FOLDER / f"{name}.yml").read_text(encoding="utf-8")


def test_there_is_a_rule_for_every_workflow():
    assert {file.stem for file in FOLDER.iterdir()} == ON.keys() == PERMISSIONS.keys()


@pytest.mark.parametrize("name", ON)
def test_a_workflow_breaks_no_rule(name):
    assert problems_of(name, read(name)) == []


def swap(before: str, after: str, count: int = -1) -> Callable[[str], str]:
    return lambda text: text.replace(before, after, count)


@pytest.mark.parametrize(
    ("name", "wrong", "found"),
    [
        ("ci", lambda text: re.sub(r"checkout@[0-9a-f]{40}", "checkout@v7", text), "not pinned by commit"),
        ("loadtest", swap(" # v7.0.1", "", 1), "not pinned by commit"),
        ("loadtest", swap("pull_request:", "pull_request_target:", 1), "runs on"),
        ("loadtest-comment", swap("permissions: {}", "permissions: write-all"), "do not name"),
        ("loadtest", swap("contents: read", "contents: write"), "permissions of loadtest are"),
        ("loadtest-command", swap("    timeout-minutes: 15\n", ""), "time limit"),
        ("loadtest-nightly", swap("concurrency:\n  group", "env:\n  group"), "stand side by side"),
        ("loadtest", swap("cancel-in-progress: true", "cancel-in-progress: false"), "side by side"),
        ("loadtest", swap("name: Preview", "name: Peek"), "steps are"),
        ("loadtest", swap("if: always()", "if: success()", 1), "'Comment' does not run"),
        ("loadtest", swap("if: always()\n        uses: pulumi", "uses: pulumi"), "'Destroy' does not"),
        ("loadtest", swap("steps.deploy.outcome", "steps.preview.outcome"), "explained to nobody"),
        ("loadtest-command", swap("permissions: {}", "permissions: {}\nconcurrency: x"), "of one that waits"),
        ("loadtest-command", swap("comment.body,", "comment.author_association,"), "for a stranger"),
        ("loadtest-comment", swap("skip-decompress: true", "merge-multiple: true"), "is unpacked"),
        ("loadtest-comment", swap("vars.LOADPROOF_COMMENT", "vars.QUIET"), "told to be quiet"),
        ("loadtest", swap("LOADPROOF_JOB_STATUS", "JOB_STATUS"), "kept quiet"),
        ("loadtest", swap("continue-on-error: true\n        timeout-minutes: 30", ""), "can fail"),
        ("loadtest", lambda text: re.sub(r"version: 3\.\d+\.0", "version: 3.1.0", text), "pulumi 3.1.0"),
        ("loadtest", swap("category: trivy-images", "category: trivy-manifests"), "same category"),
        ("loadtest", swap("cloud-url: file://", "cloud-url: s3://"), "file backend"),
        ("loadtest", swap("command: destroy", "command: destroy\n          remove: true"), "removes the"),
        (
            "loadtest",
            swap("run: make test-quick", "run: make test-quick\n        env: {T: '${{ github.token }}'}"),
            "sees the token",
        ),
        ("ci", swap("persist-credentials: false", "fetch-depth: 1"), "stays in the checkout"),
        (
            "loadtest-comment",
            swap("with:\n          persist", "with:\n          ref: other\n          persist"),
            "another commit than the event's",
        ),
        ("loadtest-nightly", swap("Pulumi.{0}.yaml", "Pulumi.yaml"), "not of the stack's file"),
        ("loadtest-nightly", swap("path: artifacts/\n", "path: ./\n"), "more is kept"),
        ("ci", swap("run: make test", "run: make tset"), "`make tset`"),
        ("ci", swap("run: make test", "run: pytest || true"), "shell that no test runs"),
        ("loadtest", swap('run --stack "$STACK"', 'run --stak "$STACK"'), "--stak of `loadtest run`"),
        ("loadtest-command", swap("loadtest command", "loadtest comand"), "`loadtest comand`"),
        (
            "loadtest-command",
            swap('"$STACK"', "${{ github.event.comment.body }}"),
            "becomes part of a command",
        ),
        ("loadtest", swap("'skip-loadtest'", "'skip-it'"), "skip-loadtest changes nothing"),
    ],
)
def test_a_planted_fault_is_found(name, wrong: Callable[[str], str], found: str):
    text = read(name)
    faulty = wrong(text)
    assert faulty != text, "the fault was not planted: the workflow's wording has changed"
    assert any(found in problem for problem in problems_of(name, faulty))


@pytest.mark.parametrize(
    ("linter", "before", "after"),
    [
        (("actionlint", "-shellcheck=", "-pyflakes="), "runs-on: ubuntu-24.04", "runs-on: ubuntu-23.99"),
        (("actionlint", "-shellcheck=", "-pyflakes="), "github.event_name", "github.evnet_name"),
        (("zizmor", "--offline", "--quiet"), "persist-credentials: false", "fetch-depth: 1"),
        (("zizmor", "--offline", "--quiet"), "pull_request:", "pull_request_target:"),
    ],
)
def test_the_linters_see_what_they_are_there_for(tmp_path, linter, before, after):
    text = read("ci") + "# ${{ github.event_name }}\n"
    text = text.replace("make test\n", "make test\n        if: github.event_name == 'push'\n")
    file = tmp_path / ".github" / "workflows" / "ci.yml"
    file.parent.mkdir(parents=True)
    for content, failed in ((text, False), (text.replace(before, after), True)):
        file.write_text(content, encoding="utf-8")
        done = subprocess.run((*linter, str(file)), capture_output=True, text=True, check=False)
        assert bool(done.returncode) is failed, done.stdout + done.stderr
