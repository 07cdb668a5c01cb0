"""The command plugin under the real engine, whichever it is: the published one or the stand-in."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.toolchain.own_go import assert_passes_its_own_tests
from tests.waiting import comes_true, runs
from toolchain.cache import Cache
from toolchain.catalogue import Catalogue
from toolchain.pins import load_pins
from toolchain.recipes import RECIPES
from toolchain.sources import Way

NAME = "pulumi-resource-command"
CACHE, CATALOGUE = Cache.of(os.environ), Catalogue.of(load_pins(), RECIPES)

PROGRAM = """
import os, pulumi
from pulumi_command import local

greeting = local.Command(
    "greeting",
    create="echo created >> log; echo hello $WHO; cat >&2",
    update="echo updated >> log; echo $PULUMI_COMMAND_STDOUT again",
    delete="echo deleted $PULUMI_COMMAND_STDOUT >> log",
    environment={"WHO": os.environ.get("WHO", "you")},
    stdin="in",
    dir=os.getcwd(),
    triggers=[os.environ.get("TRIGGER", "1")],
)
hidden = local.Command(
    "hidden", create='cat; echo "seen: $(cat file)"', stdin=pulumi.Output.secret("hush-hush"), dir=os.getcwd()
)
pulumi.export("stdout", greeting.stdout)
pulumi.export("stderr", greeting.stderr)
pulumi.export("hidden", hidden.stdout)
pulumi.export("run", local.run_output(command="echo $A", environment={"A": "b"}).stdout)
"""
SLOW_PROGRAM = """
import os
from pulumi_command import local

local.Command("slow", create="sleep 300 & echo $! > pid.new; mv pid.new pid; wait", dir=os.getcwd())
"""


class Stack:
    """A throw-away project with a backend of its own."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder = folder
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text("name: probe\nruntime: python\n", encoding="utf-8")
        (folder / "__main__.py").write_text(program, encoding="utf-8")
        (folder / "file").write_text("content", encoding="utf-8")
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "probe",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        self.pulumi("stack", "init", "probe")

    def pulumi(self, *arguments: str, **environment: str) -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def up(self, **environment: str) -> str:
        return self.pulumi("up", "--yes", "--skip-preview", "--stack", "probe", **environment)

    def outputs(self, *flags: str) -> Mapping[str, str]:
        told = self.pulumi("stack", "output", "--json", "--stack", "probe", *flags)
        outputs: Mapping[str, str] = json.loads(told)
        return outputs

    def log(self) -> list[str]:
        return (self.folder / "log").read_text(encoding="utf-8").splitlines()


@dataclass(frozen=True, kw_only=True)
class Life:
    """What was seen of one stack from its first preview to its end."""

    preview: str
    ran_in_preview: bool
    ups: tuple[str, ...]
    first: Mapping[str, str]
    revealed: Mapping[str, str]
    state: bytes
    log: list[str]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """One life for all tests that look at it: every call of the engine takes a second or more."""
    folder = tmp_path_factory.mktemp("life")
    stack = Stack(folder, PROGRAM)
    preview = stack.pulumi("preview", "--stack", "probe")
    ran_in_preview = (folder / "log").exists()
    ups = [stack.up()]
    first = stack.outputs()
    ups += [stack.up(), stack.up(WHO="them")]
    revealed = stack.outputs("--show-secrets")
    ups.append(stack.up(WHO="them", TRIGGER="2"))
    files = [file for file in (folder / "state").rglob("*") if file.is_file()]
    state = b"".join(file.read_bytes() for file in files)
    stack.pulumi("destroy", "--yes", "--skip-preview", "--stack", "probe")
    return Life(
        preview=preview,
        ran_in_preview=ran_in_preview,
        ups=tuple(ups),
        first=first,
        revealed=revealed,
        state=state,
        log=stack.log(),
    )


def test_a_preview_shows_the_commands_and_runs_none(life: Life) -> None:
    assert "3 to create" in life.preview, "the stack and its two commands"
    assert not life.ran_in_preview


def test_a_command_is_created_kept_updated_and_replaced(life: Life) -> None:
    created, kept, updated, replaced = life.ups
    assert "3 created" in created
    assert "3 unchanged" in kept
    assert "1 updated" in updated
    assert "1 replaced" in replaced
    assert not [up for up in life.ups if "warning" in up]


def test_outputs_are_what_the_commands_printed(life: Life) -> None:
    assert life.first == {"stdout": "hello you", "stderr": "in", "hidden": "[secret]", "run": "b"}
    assert life.revealed["stdout"] == "hello you again", "the update sees what the creation printed"


def test_a_replaced_command_deletes_what_it_made_and_so_does_the_end(life: Life) -> None:
    ends = ["deleted hello you again", "deleted hello them"]
    assert life.log == ["created", "updated", "created", *ends]


def test_what_comes_of_a_secret_is_in_no_output_no_display_and_no_state(life: Life) -> None:
    assert life.revealed["hidden"] == "hush-hushseen: content", "the secret has to be there"
    assert b"hello them" in life.state, "else this looks in the wrong place"
    assert b"hush-hush" not in life.state
    assert "hush-hush" not in "".join(life.ups)


def stand_in() -> bool:
    part = CATALOGUE.parts[NAME]
    record = CACHE.record(part, CATALOGUE.keys[NAME])
    return record is not None and record.way == Way.BUILD


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_an_engine_that_ends_early_ends_the_command_and_what_it_started(
    tmp_path: Path, end: signal.Signals
) -> None:
    if not stand_in():
        pytest.skip("the published plugin ends the command's own process alone")
    stack = Stack(tmp_path, SLOW_PROGRAM)
    engine = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--stack", "probe", "--non-interactive"],
        cwd=tmp_path,
        env=stack.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        grandchild = int(eventually(tmp_path / "pid"))
        assert runs(grandchild)
        engine.send_signal(end)
        assert engine.wait(timeout=30) != 0, "an interrupted run must not look like a good one"
    finally:
        engine.kill()
    outlived = not comes_true(lambda: not runs(grandchild), within_s=10)
    end_processes_in(tmp_path)  # the language host, which does not notice that its engine was killed
    assert not outlived, "the command's own child outlived its engine"


def end_processes_in(folder: Path) -> None:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            inside = (process / "cwd").resolve() == folder.resolve()
        except OSError:  # gone, or another user's
            continue
        if inside:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGKILL)


def test_the_stand_in_passes_its_own_tests() -> None:
    if not stand_in():
        pytest.skip("the published plugin is used on this machine")
    assert_passes_its_own_tests(NAME)


def eventually(file: Path) -> str:
    deadline_s = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline_s, f"{file.name} never came"
        time.sleep(0.05)
    return file.read_text(encoding="utf-8")
