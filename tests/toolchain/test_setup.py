"""The whole set-up by its command line, in a small project of its own: processes, signals, locks, links."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.toolchain.hosts import FileHost, file_host
from tests.toolchain.world import install_tool, tool_row
from tests.waiting import runs
from toolchain import lock

TOOLCHAIN = Path(__file__).resolve().parents[2] / "toolchain"

ENGINE = b"""#!/bin/sh
echo "$@" >> "$PULUMI_HOME/calls"
case "$1 $2" in
"stack init")
    folder="${PULUMI_BACKEND_URL#file://}/.pulumi/stacks/small"
    mkdir -p "$folder" && echo '{}' > "$folder/$3.json" ;;
"show settings")
    env | grep -E '^(PULUMI|PATH)' ;;
esac
[ -z "$SPOIL" ] || echo spoiled >> "Pulumi.$3.yaml"
"""

RECIPES = '''
"""The recipes of a small project: one that takes as long as the test wants."""

from pathlib import Path
from toolchain.sources.build import Recipe


def slow(context):
    (context.out / "bin").mkdir()
    (context.out / "bin" / "slow").write_text("slow")
    context.say("being slow")
    seconds = context.part.row["seconds"]
    context.run("sh", "-c", f"echo $$ > {context.cache.root}/slow.pid; exec sleep {seconds}")


def quick(context):
    (context.out / "bin").mkdir()
    (context.out / "bin" / context.part.name).write_text("#!/bin/sh\\necho quick\\n")
    (context.out / "bin" / context.part.name).chmod(0o755)


RECIPES = {"slow": Recipe(build=slow), "special": Recipe(build=quick)}
'''

# The program of a small project: what a stack needs stands in a file.
NEEDS = """
import pathlib, sys
told = pathlib.Path(f"needs-{sys.argv[-1].removeprefix('--stack=')}.json")
print(told.read_text() if told.exists() else '{"problems": [], "parts": [], "images": {}}')
"""


@dataclass(frozen=True, kw_only=True)
class Clone:
    """A project with the real set-up and pins of its own."""

    folder: Path
    cache: Path
    environment: dict[str, str]

    def start(self, *arguments: str, **extra: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            (sys.executable, "-m", "toolchain", *arguments),
            cwd=self.folder,
            env={**self.environment, **extra},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, **extra: str) -> tuple[int, str]:
        process = self.start(*arguments, **extra)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    def needs(self, stack: str, **needed: object) -> None:
        """Let the program say that a stack needs this."""
        told = {"problems": [], "parts": [], "images": {}, **needed}
        (self.folder / f"needs-{stack}.json").write_text(json.dumps(told))

    def has(self, command: str) -> bool:
        return (self.folder / ".venv" / "bin" / command).exists()

    def pulumi(self, *arguments: str, **extra: str) -> str:
        environment = {"PATH": os.environ["PATH"], **extra}
        command = (str(self.folder / ".venv" / "bin" / "pulumi"), *arguments)
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=True
        ).stdout


@pytest.fixture
def host() -> Iterator[FileHost]:
    with file_host(files={"pulumi": ENGINE}) as host:
        yield host


@pytest.fixture
def clone(tmp_path: Path, host: FileHost) -> Clone:
    return make_clone(tmp_path / "project", tmp_path / "cache", host)


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A clone that was set up, for tests that change nothing in it."""

    clone: Clone
    host: FileHost
    output: str


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    folder = tmp_path_factory.mktemp("ready")
    with file_host(files={"pulumi": ENGINE}) as host:
        clone = make_clone(folder / "project", folder / "cache", host)
        code, output = clone.run("setup")
        assert code == 0, output
        yield Ready(clone=clone, host=host, output=output)


def make_clone(folder: Path, cache: Path, host: FileHost, *, slow_s: float = 0) -> Clone:
    # With what is compiled already, which each of the programs started here would else compile anew; whatever
    # somebody else compiles just now is not there for long.
    shutil.copytree(TOOLCHAIN, folder / "toolchain", ignore=shutil.ignore_patterns("go", "images", "*.pyc.*"))
    purposes = 'for = ["run", "test"]\n'
    kind = install_tool(folder.parent / "machine", "kind", "1.2.3")
    (folder / "toolchain" / "pins.toml").write_text(
        tool_row("kind", found=True)
        + purposes
        + 'links = ["kind"]\n'
        + tool_row("pulumi", url=host.url("pulumi"), content=ENGINE)
        + purposes
        + tool_row("slow")
        + purposes
        + f"seconds = {slow_s}\n"
        + tool_row("special")
        + purposes
        + 'by_stack = true\nlinks = ["special"]\n'
        + tool_row("nowhere")
        + 'for = ["run"]\nby_stack = true\noptional = true\n'
    )
    (folder / "infra").mkdir()
    (folder / "infra" / "needs.py").write_text(NEEDS)
    (folder / "toolchain" / "recipes" / "__init__.py").write_text(RECIPES)
    (folder / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    (folder / "Pulumi.ci.yaml").write_text("encryptionsalt: v1:x\n")
    (folder / "requirements.txt").write_text("")
    (folder / "requirements-dev.txt").write_text("")
    environment = {
        "PATH": f"{kind.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder.parent),
        "LOADPROOF_CACHE": str(cache),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Clone(folder=folder, cache=cache, environment=environment)


def wait_for(place: Path, *, some: str = "", limit_s: float = 30.0) -> str:
    """The text of a file, or of the first below a folder that fits, once there is any."""
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        for file in place.glob(some) if some else [place]:
            if file.exists() and (text := file.read_text().strip()):
                return text
        time.sleep(0.02)
    raise AssertionError(f"{place / some} did not appear")


def cpu_s_of_children() -> float:
    """Of those that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_each_part_is_said_with_how_it_was_got(ready: Ready) -> None:
    assert "kind: 1.2.3 found on this machine" in ready.output
    assert "pulumi: 1.2.3 downloaded" in ready.output
    assert "slow: 1.2.3 built" in ready.output
    assert "python packages: installed" in ready.output


def test_after_set_up_the_plain_commands_work_and_committed_files_are_untouched(ready: Ready) -> None:
    clone = ready.clone
    assert (clone.folder / ".venv" / "bin" / "kind").exists()
    settings = clone.pulumi("show", "settings")
    assert f"PULUMI_BACKEND_URL=file://{clone.folder}/.pulumi-state" in settings
    assert f"PATH={clone.folder}/.venv/bin:" in settings
    assert "PULUMI_IGNORE_AMBIENT_PLUGINS=true" in settings, "plugins on PATH would win over the pinned ones"
    assert (clone.folder / "Pulumi.ci.yaml").read_text() == "encryptionsalt: v1:x\n"
    assert (clone.folder / ".pulumi-state" / ".pulumi" / "stacks" / "small" / "ci.json").exists()
    assert (clone.folder / ".pulumi-state").stat().st_mode & 0o077 == 0, "others can read the state"


def test_what_the_user_has_set_wins_over_the_defaults(ready: Ready) -> None:
    clone = ready.clone
    own = {"PULUMI_BACKEND_URL": "s3://mine", "PULUMI_CONFIG_PASSPHRASE": ""}
    lines = clone.pulumi("show", "settings", **own).splitlines()
    assert "PULUMI_BACKEND_URL=s3://mine" in lines
    assert "PULUMI_CONFIG_PASSPHRASE=" in lines, "an empty passphrase is one too"
    lines = clone.pulumi("show", "settings", PULUMI_CONFIG_PASSPHRASE_FILE="/x").splitlines()
    assert not [line for line in lines if line.startswith("PULUMI_CONFIG_PASSPHRASE=")]


def test_a_second_set_up_asks_no_host_runs_no_tool_and_works_for_less_than_a_second(ready: Ready) -> None:
    calls = ready.clone.folder / ".toolchain" / "pulumi-home" / "calls"
    before = (list(ready.host.asked), calls.read_text())
    before_s = cpu_s_of_children()  # by no clock, which goes on while the machine is busy with something else
    code, output = ready.clone.run("setup")
    assert cpu_s_of_children() - before_s < 1.0
    assert code == 0, output
    assert (ready.host.asked, calls.read_text()) == before
    assert output.count("\n") == 1, output


def test_a_second_clone_takes_its_parts_from_the_cache(ready: Ready, tmp_path: Path) -> None:
    before = list(ready.host.asked)
    second = make_clone(tmp_path / "second clone", ready.clone.cache, ready.host)
    code, output = second.run("setup")
    assert code == 0, output
    assert ready.host.asked == before
    assert "built" not in output
    assert f"file://{second.folder}/.pulumi-state" in second.pulumi("show", "settings")


def test_changed_requirements_are_installed_and_half_made_packages_are_made_anew(clone: Clone) -> None:
    clone.run("setup")
    (packages,) = (clone.cache / "python").iterdir()
    (packages / "planted").touch()
    clone.run("setup")
    assert (packages / "planted").exists(), "packages that are whole are installed anew"
    (clone.folder / "requirements.txt").write_text("# changed\n")
    clone.run("setup")
    assert len(list((clone.cache / "python").iterdir())) == 2
    (packages / "loadproof-packages.json").unlink()
    (clone.folder / "requirements.txt").write_text("")
    code, output = clone.run("setup")
    assert code == 0, output
    assert not (packages / "planted").exists()


def test_what_is_installed_for_the_tests_serves_a_run_too(clone: Clone) -> None:
    code, output = clone.run("setup", "--for", "test")
    assert code == 0, output
    code, output = clone.run("setup", "--for", "run")
    assert output.count("\n") == 1, "what the tests need is not taken for what a run needs"


def test_packages_and_commands_of_the_cache_work_in_every_clone(ready: Ready, tmp_path: Path) -> None:
    (packages,) = (ready.clone.cache / "python").iterdir()
    (site,) = (packages / "lib").glob("python*/site-packages")
    (site / "planted_module.py").write_text("HERE = True\n")
    (packages / "bin" / "planted-command").write_text("#!/bin/sh\necho here\n")
    (packages / "bin" / "planted-command").chmod(0o755)
    second = make_clone(tmp_path / "project", ready.clone.cache, ready.host)
    log = ready.clone.cache / "logs" / "python.log"
    before = log.read_text().count(" install ")
    code, output = second.run("setup")
    assert code == 0, output
    assert log.read_text().count(" install ") == before > 0, "packages are installed anew"
    commands = second.folder / ".venv" / "bin"
    subprocess.run((str(commands / "python"), "-c", "import planted_module"), check=True)
    assert (
        subprocess.run((str(commands / "planted-command"),), capture_output=True, check=True).stdout
        == b"here\n"
    )


def test_packages_that_cannot_be_installed_are_an_error_with_the_log(clone: Clone) -> None:
    (clone.folder / "requirements.txt").write_text(f"nothing-of-this-name==1.0 --hash=sha256:{'0' * 64}\n")
    code, output = clone.run("setup", PIP_NO_INDEX="1")
    assert code == 3, output
    assert "error: python packages: " in output
    assert str(clone.cache / "logs" / "python.log") in output


def test_without_a_network_the_error_names_the_part_and_the_remedy_within_seconds(clone: Clone) -> None:
    if subprocess.run(("unshare", "--net", "true"), capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not make a network of its own")
    started_s = time.monotonic()
    offline = subprocess.run(
        ("unshare", "--net", sys.executable, "-m", "toolchain", "setup"),
        cwd=clone.folder,
        env=clone.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert time.monotonic() - started_s < 20
    assert offline.returncode == 3, offline.stderr
    assert "error: pulumi 1.2.3 cannot be got" in offline.stderr
    assert "does not answer" in offline.stderr
    assert "HTTPS_PROXY" in offline.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_children_too_and_the_same_command_goes_on(
    tmp_path: Path, host: FileHost, number: signal.Signals
) -> None:
    clone = make_clone(tmp_path / "project", tmp_path / "cache", host, slow_s=60)
    process = clone.start("setup")
    child = int(wait_for(clone.cache / "slow.pid"))
    wait_for(clone.cache / "parts" / "pulumi", some="*/part.json")
    assert runs(child)
    process.send_signal(number)
    output, _ = process.communicate(timeout=15)
    assert process.returncode == 130, output
    assert "goes on from there" in output
    assert not runs(child), "a child outlives the set-up"
    pins = clone.folder / "toolchain" / "pins.toml"
    pins.write_text(pins.read_text().replace("seconds = 60", "seconds = 0"))
    host.asked.clear()
    code, output = clone.run("setup")
    assert code == 0, output
    assert host.asked == [], "what was downloaded before the signal is downloaded again"


def test_two_at_once_work_one_after_the_other_and_the_second_says_whom_it_waits_for(
    tmp_path: Path, host: FileHost
) -> None:
    first = make_clone(tmp_path / "project", tmp_path / "cache", host, slow_s=1.5)
    second = make_clone(tmp_path / "other", tmp_path / "cache", host, slow_s=1.5)
    one = first.start("setup")
    wait_for(first.cache / "slow.pid")
    two = second.start("setup")
    output_one, _ = one.communicate(timeout=30)
    output_two, _ = two.communicate(timeout=30)
    assert (one.returncode, two.returncode) == (0, 0), output_one + output_two
    assert f"another set-up (process {one.pid}) is at work" in output_two
    assert "slow: 1.2.3 built" in output_one
    assert "slow: 1.2.3 built" not in output_two, "the second makes what the first has made"
    assert host.asked.count("pulumi") == 1


def test_a_stack_whose_initialising_would_change_its_committed_file_is_an_error(clone: Clone) -> None:
    code, output = clone.run("setup", SPOIL="1")
    assert code == 2, output
    assert "Pulumi.ci.yaml holds no encryptionsalt" in output
    assert (clone.folder / "Pulumi.ci.yaml").read_text() == "encryptionsalt: v1:x\n"


def test_the_state_of_the_stack_that_is_set_up_is_begun_and_no_other(clone: Clone) -> None:
    (clone.folder / "Pulumi.other.yaml").write_text("encryptionsalt: v1:y\n")
    stacks = clone.folder / ".pulumi-state" / ".pulumi" / "stacks" / "small"
    ci, both = {"ci.json"}, {"ci.json", "other.json"}
    for stack, begun in (("ci", ci), ("without-config", ci), ("other", both)):
        code, output = clone.run("setup", "--stack", stack)
        assert (code, {file.name for file in stacks.iterdir()}) == (0, begun), output


def test_a_cache_that_cannot_be_written_is_an_error_and_no_traceback(clone: Clone) -> None:
    blocked = clone.folder / "Pulumi.yaml" / "cache"
    code, output = clone.run("setup", LOADPROOF_CACHE=str(blocked))
    assert code == 3, output
    assert "Traceback" not in output
    assert str(blocked) in output


def test_a_stack_gets_what_it_needs_and_another_stack_does_not(clone: Clone) -> None:
    clone.needs("rich", parts=["special"])
    code, output = clone.run("setup")
    assert (code, clone.has("special")) == (0, False), output
    code, output = clone.run("status", "--stack", "rich")
    assert output.endswith("ready for run: no\n")
    code, output = clone.run("setup", "--stack", "rich")
    assert (code, clone.has("special")) == (0, True), output
    code, output = clone.run("setup", "--stack", "rich")
    assert output.count("\n") == 1, "what is there is got again"


def test_what_a_stack_needs_is_got_by_the_same_set_up_that_makes_the_environment(clone: Clone) -> None:
    clone.needs("ci", parts=["special"])
    code, output = clone.run("setup")
    assert (code, clone.has("special")) == (0, True), output


def test_the_tests_get_what_any_stack_needs(clone: Clone) -> None:
    code, output = clone.run("setup", "--for", "test")
    assert (code, clone.has("special")) == (0, True), output


def test_a_single_part_is_got_by_its_name(clone: Clone) -> None:
    clone.run("setup")
    code, output = clone.run("get", "special")
    assert (code, clone.has("special")) == (0, True), output
    code, output = clone.run("get", "special", "speciall")
    assert code == 2
    assert "there is no part speciall\n" in output


def test_a_part_that_is_optional_and_cannot_be_had_costs_one_line(clone: Clone) -> None:
    clone.needs("ci", parts=["nowhere", "special"])
    code, output = clone.run("setup")
    assert (code, clone.has("special")) == (0, True), output
    (line,) = [line for line in output.splitlines() if line.startswith("nowhere")]
    assert "cannot be had here, going on without it" in line
    assert "toolchain: everything but nowhere is there" in output


def test_an_optional_part_that_is_asked_for_by_its_name_is_an_error_where_it_cannot_be_had(
    clone: Clone,
) -> None:
    code, output = clone.run("get", "special", "nowhere")
    assert (code, clone.has("special")) == (3, True), output
    assert "nowhere: cannot be had here, going on without it (" in output
    assert "error: nowhere cannot be had here" in output


def test_a_configuration_that_cannot_be_used_is_an_error_with_all_its_problems(clone: Clone) -> None:
    clone.needs("ci", problems=["apps is empty", "cluster_workers is many"])
    code, output = clone.run("setup")
    assert code == 2, output
    assert "the configuration of stack ci cannot be used:\n    apps is empty\n    cluster_workers" in output


def test_a_need_that_nothing_is_pinned_for_is_named(clone: Clone) -> None:
    clone.needs("ci", parts=["thin-air"])
    code, output = clone.run("setup")
    assert code == 2, output
    assert "stack ci needs thin-air, which pins.toml does not name" in output


def test_an_image_that_only_a_setting_names_is_looked_for_before_anything_is_built(clone: Clone) -> None:
    engine = clone.folder.parent / "machine" / "docker"
    engine.write_text('#!/bin/sh\n[ "$1" = version ] && echo 26.1 && exit\n[ -e "$0.has" ]\n')
    engine.chmod(0o755)
    clone.run("get", "slow")
    clone.needs("ci", parts=["special"], images={"127.0.0.1:9/acme/node:1": "cluster_node_image"})
    code, output = clone.run("setup")
    assert (code, clone.has("special")) == (3, False), output
    assert "error: cluster_node_image asks for the image 127.0.0.1:9/acme/node:1, which is not in" in output
    assert "https://127.0.0.1:9 does not answer ([Errno 111] Connection refused)" in output
    engine.with_name("docker.has").touch()
    code, output = clone.run("setup")
    assert (code, clone.has("special")) == (0, True), output


def test_an_image_that_a_setting_names_may_lie_in_a_registry_without_tls(
    clone: Clone, host: FileHost
) -> None:
    engine = clone.folder.parent / "machine" / "docker"
    engine.write_text(
        '#!/bin/sh\n[ "$1" = version ] && echo 26.1 && exit\n'
        '[ "$1" = pull ] && touch "$0.has" && exit\n[ -e "$0.has" ]\n'
    )
    engine.chmod(0o755)
    registry = host.url("").removeprefix("http://").rstrip("/")
    clone.needs("ci", images={f"{registry}/acme/node:1": "cluster_node_image"})
    code, output = clone.run("setup")
    assert (code, engine.with_name("docker.has").exists()) == (0, True), output
    engine.with_name("docker.has").unlink()
    code, output = clone.run("setup")
    assert (code, engine.with_name("docker.has").exists()) == (0, True), "the engine may lose it again"


def test_a_program_that_fails_when_it_is_asked_is_an_error_with_its_last_words(clone: Clone) -> None:
    (clone.folder / "infra" / "needs.py").write_text("raise SystemExit('it is broken')")
    code, output = clone.run("setup")
    assert code == 3, output
    assert "does not say what stack ci needs: it is broken" in output


def test_an_unknown_way_is_wrong_use(clone: Clone) -> None:
    code, output = clone.run("setup", "--from", "thin-air")
    assert code == 2
    assert "thin-air" in output


def test_status_lists_every_part_with_how_it_was_got(ready: Ready) -> None:
    code, output = ready.clone.run("status")
    assert code == 0, output
    rows = {line.split()[0]: line for line in output.splitlines()}
    assert "found on this machine" in rows["kind"]
    assert "downloaded" in rows["pulumi"]
    assert "built" in rows["slow"]
    assert output.endswith("ready for run: yes\n")


def test_a_shell_and_the_steps_of_a_workflow_get_the_same_settings(ready: Ready, tmp_path: Path) -> None:
    clone = ready.clone
    _, shell = clone.run("env")
    path_file, env_file = tmp_path / "path", tmp_path / "env"
    _, nothing = clone.run("env", GITHUB_PATH=str(path_file), GITHUB_ENV=str(env_file))
    assert nothing == ""
    assert path_file.read_text() == f"{clone.folder}/.venv/bin\n"
    for line in env_file.read_text().splitlines():
        assert f"export {line}" in shell
    assert "PULUMI_BACKEND_URL" in shell


def test_what_is_set_already_is_not_printed_again_least_of_all_a_passphrase(ready: Ready) -> None:
    _, shell = ready.clone.run("env", PULUMI_CONFIG_PASSPHRASE="mine alone")
    assert "mine alone" not in shell
    assert "PULUMI_BACKEND_URL" in shell


def test_cleaning_looks_for_what_can_go_only_after_the_set_up_it_waited_for(clone: Clone) -> None:
    late = clone.cache / "parts" / "kind" / "0.1-late"
    with lock.held(clone.cache / "lock", waiting=pytest.fail):
        cleaning = clone.start("clean", PYTHONUNBUFFERED="1")
        assert cleaning.stdout is not None
        assert "is at work" in cleaning.stdout.readline()
        late.mkdir(parents=True)
    output, _ = cleaning.communicate(timeout=30)
    assert str(late) in output
    assert not late.exists()


def test_to_publish_a_report_takes_the_packages_and_no_part(clone: Clone) -> None:
    code, output = clone.run("setup", "--for", "publish", "--from", "found")
    assert code == 0, output
    assert (clone.has("python"), clone.has("pulumi")) == (True, False)
    code, output = clone.run("setup", "--for", "publish")
    assert output.count("\n") == 1, "what is there is got again"
