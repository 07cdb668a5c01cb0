"""`loadtest init`, into a repository of the test's own: what it writes works, and it overwrites nothing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from loadtest import cli
from loadtest.adopt import answers, workflows
from loadtest.errors import UsageError
from loadtest.exit_codes import ExitCode
from loadtest.scan.deployed import deployed
from tests.commands import problems_of_command
from tests.e2e.workspace import PROJECT, make_workspace

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FLAGS = {
    "--app": "shop",
    "--image": "shop:ci",
    "--port": "8080",
    "--host": "shop.localhost",
    "--expected-body": 'it\'s {{ open }}: "yes" #1',
    "--source": "octo/loadproof",
    "--commit": COMMIT,
}
NO_ENGINE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}


def init(into: Path, *more: str, **changes: str) -> subprocess.CompletedProcess[str]:
    flags = FLAGS | {f"--{name}": value for name, value in changes.items()}
    words = [word for flag in flags.items() for word in flag]
    return subprocess.run(
        (sys.executable, "-m", "loadtest", "init", "--into", str(into), "--stack", "shop", *words, *more),
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def steps(shop: Path, name: str, job: str) -> dict[str, dict]:
    workflow = yaml.safe_load((shop / ".github" / "workflows" / name).read_text())
    return {step["name"]: step for step in workflow["jobs"][job]["steps"]}


def test_the_written_workflows_pass_the_linters(shop: Path) -> None:
    assert init(shop, "--build", "docker/api").returncode == 0
    written = sorted((shop / ".github" / "workflows").iterdir())
    assert {file.name for file in written} == set(workflows.NAMES)
    for linter in (("actionlint", "-shellcheck=", "-pyflakes="), ("zizmor", "--offline", "--quiet")):
        done = subprocess.run((*linter, *map(str, written)), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_job_runs_this_project_at_the_commit_and_tests_the_service(shop: Path) -> None:
    assert init(shop, "--build", "docker/api").returncode == 0
    for name in workflows.NAMES:
        document = yaml.safe_load((shop / ".github" / "workflows" / name).read_text())
        assert document["env"] == {"STACK": "shop"}
        for job in document["jobs"].values():
            first = job["steps"][0]["with"]
            assert first == {"repository": "octo/loadproof", "ref": COMMIT, "persist-credentials": False}
            lines = [line for step in job["steps"] for line in step.get("run", "").splitlines()]
            assert [problem for line in lines for problem in problems_of_command(line)] == []
    for name, job in (("loadtest.yml", "loadtest"), ("loadtest-nightly.yml", "measure")):
        found = steps(shop, name, job)
        order = list(found)
        assert order[1:3] == ["Check out the service", "Take the service's stack"]
        assert order.index("Set up") < order.index("Build the image")
        assert found["Build the image"]["env"] == {"IMAGE": "shop:ci", "CONTEXT": "service/docker/api"}
        assert "Test" not in order
    assert steps(shop, "loadtest.yml", "loadtest")["Scan"]["run"] == "make scan REPOSITORY=service"


def test_what_a_scan_found_is_published_for_the_services_commit(shop: Path) -> None:
    assert init(shop).returncode == 0
    published = [
        step["with"]["checkout_path"]
        for step in steps(shop, "loadtest.yml", "loadtest").values()
        if "upload-sarif" in step.get("uses", "")
    ]
    assert published == ["${{ github.workspace }}/service"] * 3


@pytest.mark.parametrize(
    ("remembered", "flag", "branch"),
    [
        (None, None, "main"),
        ("master", None, "master"),
        ("release/2", None, "release/2"),
        ("master", "x", "x"),
    ],
)
def test_pull_requests_to_the_services_own_default_branch_are_measured(
    shop: Path, remembered: str | None, flag: str | None, branch: str
) -> None:
    if remembered:
        head = ("symbolic-ref", "refs/remotes/origin/HEAD", f"refs/remotes/origin/{remembered}")
        for command in (("init", "-q"), head):
            subprocess.run(("git", "-C", str(shop), *command), check=True)
    assert init(shop, *(("--branch", flag) if flag else ())).returncode == 0
    workflow = yaml.safe_load((shop / ".github" / "workflows" / "loadtest.yml").read_text())
    assert workflow[True]["pull_request"]["branches"] == [branch]


def test_an_image_of_a_registry_is_not_built(shop: Path) -> None:
    assert init(shop, image="registry.example/shop:1.2").returncode == 0
    assert "Build the image" not in steps(shop, "loadtest.yml", "loadtest")


def test_the_written_stack_can_be_previewed(shop: Path, tmp_path: Path) -> None:
    assert init(shop).returncode == 0
    workspace = make_workspace(tmp_path / "workspace")
    (workspace.root / "service").symlink_to(shop)
    take = steps(shop, "loadtest.yml", "loadtest")["Take the service's stack"]["run"]
    assert workspace.run(*take.split()).returncode == 0
    assert workspace.run("pulumi", "stack", "init", "shop").returncode == 0
    preview = workspace.run(
        *("pulumi", "preview", "--stack", "shop", "--json", "--non-interactive"), **NO_ENGINE
    )
    assert preview.returncode == 0, preview.stdout + preview.stderr
    would_deploy = deployed(preview.stdout)
    assert {image.rpartition(":")[0] for image in would_deploy.images} == {
        "shop",
        "prom/prometheus",
        "registry.k8s.io/ingress-nginx/controller",
    }
    assert "shop:ci" in would_deploy.images
    assert {"Deployment", "Service", "Ingress"} <= {one["kind"] for one in would_deploy.objects}
    stack_file = yaml.safe_load((workspace.root / "Pulumi.shop.yaml").read_text())
    assert stack_file["config"]["loadproof:apps"][0]["expected_body"] == FLAGS["--expected-body"]


def test_nothing_that_is_there_is_overwritten_unless_asked(shop: Path) -> None:
    theirs = shop / ".github" / "workflows" / "loadtest-command.yml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    refused = init(shop)
    assert refused.returncode == ExitCode.USAGE
    assert ".github/workflows/loadtest-command.yml" in refused.stderr
    assert [file for file in shop.rglob("*") if file.is_file()] == [theirs]
    assert theirs.read_text() == "theirs"
    assert init(shop, "--force").returncode == 0
    assert theirs.read_text() != "theirs"


def test_every_answer_that_is_missing_or_makes_no_sense_is_named_at_once(shop: Path) -> None:
    refused = init(shop, app="Shop!", port="eighty", host="", commit="main", image="a ${{ b }}")
    assert refused.returncode == ExitCode.USAGE
    named = set(re.findall(r"- (--[a-z-]+) ", refused.stderr))
    assert named == {"--app", "--port", "--host", "--commit", "--image"}
    assert list(shop.iterdir()) == []


@pytest.mark.parametrize("build", ["../other", "/etc", "a b", "$(id)"])
def test_a_build_folder_outside_the_repository_is_refused(shop: Path, build: str) -> None:
    refused = init(shop, "--build", build)
    assert refused.returncode == ExitCode.USAGE
    assert "a folder within the repository" in refused.stderr


def test_what_the_program_has_against_the_stack_is_said_and_nothing_written(shop: Path) -> None:
    refused = init(shop, port="70000")
    assert refused.returncode == ExitCode.USAGE
    assert "the answers make no stack" in refused.stderr
    assert list(shop.iterdir()) == []


def test_what_no_flag_says_is_asked_at_a_terminal() -> None:
    asked: list[str] = []

    def ask(words: str) -> str:
        asked.append(words)
        return {"its image": "shop:2", "the port it listens on": " 81 "}[words]

    given = [
        word for flag, value in FLAGS.items() if flag not in {"--image", "--port"} for word in (flag, value)
    ]
    options = cli._parser().parse_args(["init", "--into", "x", *given])
    adoption = answers.read(options, PROJECT, ask)
    assert asked == ["its image", "the port it listens on"]
    assert (adoption.image, adoption.port, adoption.build) == ("shop:2", 81, None)


@pytest.mark.parametrize(
    ("origin", "source"),
    [
        ("https://github.com/octo/loadproof.git", "octo/loadproof"),
        ("git@github.com:octo/loadproof.git", "octo/loadproof"),
        ("/srv/loadproof", None),
    ],
)
def test_the_source_is_that_of_the_clone_where_it_is_on_github(
    tmp_path: Path, origin: str, source: str | None
) -> None:
    for command in (("init", "-q"), ("remote", "add", "origin", origin)):
        subprocess.run(("git", "-C", str(tmp_path), *command), check=True)
    told = {flag: value for flag, value in FLAGS.items() if flag != "--source"}
    given = [word for flag in told.items() for word in flag]
    options = cli._parser().parse_args(["init", "--into", "x", *given])
    if source:
        assert answers.read(options, tmp_path, None).source == source
    else:
        with pytest.raises(UsageError, match="--source"):
            answers.read(options, tmp_path, None)
