from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.waiting import comes_true
from toolchain import debian, engine
from toolchain.cache import Cache
from toolchain.errors import ToolchainError

# Answers as long as the machine has a file that says an engine is up.
FAKE_DOCKER = """#!/bin/sh
if [ -e {up} ]; then echo 99.0; else echo cannot connect >&2; exit 1; fi
"""
# Comes up after a moment, keeps its pid where the real one does, and goes on SIGTERM.
FAKE_DOCKERD = f"""#!{sys.executable}
import os, pathlib, signal, sys, time
up, pid, mood = (pathlib.Path(p) for p in ("{{up}}", "{{pid}}", "{{mood}}"))
print("dockerd: starting", flush=True)
if mood.exists():
    sys.exit("dockerd: " + mood.read_text())
if pid.exists() and pid.read_text():
    sys.exit("dockerd: process with PID " + pid.read_text() + " is still running")
pid.write_text(str(os.getpid()))
def end(*_):
    up.unlink()
    pid.unlink()
    sys.exit()
signal.signal(signal.SIGTERM, end)
time.sleep(0.2)
up.touch()
time.sleep(60)
"""


@dataclass(frozen=True, kw_only=True)
class Machine:
    cache: Cache
    bin: Path
    run: Path
    up: Path
    mood: Path
    said: list[str]

    def ensure(self) -> None:
        engine.ensure_engine(cache=self.cache, say=self.said.append)

    def put(self, name: str, text: str) -> None:
        values = {"{up}": self.up, "{pid}": self.run / "docker.pid", "{mood}": self.mood}
        for key, value in values.items():
            text = text.replace(key, str(value))
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A Debian machine of root's with docker and dockerd, no systemd, and nothing running."""
    made = Machine(
        cache=Cache(root=tmp_path / "cache"),
        bin=tmp_path / "bin",
        run=tmp_path / "run",
        up=tmp_path / "up",
        mood=tmp_path / "mood",
        said=[],
    )
    made.bin.mkdir()
    made.run.mkdir()
    made.put("docker", FAKE_DOCKER)
    made.put("dockerd", FAKE_DOCKERD)
    monkeypatch.setenv("PATH", f"{made.bin}:/usr/bin:/bin")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(engine, "_RUN", made.run)
    monkeypatch.setattr(engine, "path_with_sbin", lambda: f"{made.bin}:/usr/bin:/bin")
    monkeypatch.setattr(engine, "_SYSTEMD", tmp_path / "no-systemd")
    monkeypatch.setattr(engine, "debian_codename", lambda: "bookworm")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    yield made
    pid = engine.status(cache=made.cache).started_pid
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    # Those that have ended as well, which a set-up that has ended would leave to nobody.
    for child in psutil.Process().children():
        if child.name() == "dockerd":
            child.wait()


def test_a_running_engine_is_used_as_it_is(machine: Machine) -> None:
    machine.up.touch()
    machine.ensure()
    assert [] == machine.said
    assert None is engine.status(cache=machine.cache).started_pid


def test_a_missing_engine_is_started_detached_and_said_so_first(machine: Machine) -> None:
    machine.ensure()
    assert "starting the container engine" in machine.said[0]
    status = engine.status(cache=machine.cache)
    assert "99.0" == status.version
    assert status.started_pid is not None
    assert os.getsid(status.started_pid) != os.getsid(0), "it would end with this terminal"
    assert "dockerd: starting" in (machine.cache.logs / "engine.log").read_text()


def test_what_was_started_here_can_be_stopped(machine: Machine) -> None:
    machine.ensure()
    engine.stop(cache=machine.cache, say=machine.said.append)
    assert engine.EngineStatus(version=None, started_pid=None) == engine.status(cache=machine.cache)


def test_an_engine_of_somebody_else_is_not_stopped(machine: Machine) -> None:
    machine.up.touch()
    engine.stop(cache=machine.cache, say=machine.said.append)
    assert machine.up.exists()
    assert "no container engine was started here" in machine.said[0]


def test_a_process_that_merely_has_the_recorded_number_is_not_stopped(machine: Machine) -> None:
    record = machine.cache.root / "engine" / "started.json"
    record.parent.mkdir(parents=True)
    record.write_text(f'{{"pid": {os.getpid()}, "started": 1}}')
    engine.stop(cache=machine.cache, say=machine.said.append)
    assert "no container engine was started here" in machine.said[0]


@pytest.mark.parametrize("content", ["999999999", "{own}", ""], ids=["nobody's", "another program's", "none"])
def test_a_pid_file_left_by_a_killed_engine_does_not_keep_a_new_one_from_starting(
    machine: Machine, content: str
) -> None:
    (machine.run / "docker.pid").write_text(content.replace("{own}", str(os.getpid())))
    machine.ensure()
    assert "99.0" == engine.status(cache=machine.cache).version


def test_an_engine_that_somebody_is_starting_is_waited_for(machine: Machine) -> None:
    pid = engine._spawn(str(machine.bin / "dockerd"), Cache(root=machine.cache.root / "theirs"))
    assert comes_true(lambda: engine._noted_pid(machine.run / "docker.pid") == pid)
    machine.ensure()
    assert "somebody has started" in machine.said[0]
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)


def test_an_engine_that_ends_at_once_is_told_with_the_last_lines_of_its_log(machine: Machine) -> None:
    machine.mood.write_text("no space left on device")
    began_s = time.monotonic()
    with pytest.raises(ToolchainError, match="no space left on device") as caught:
        machine.ensure()
    assert time.monotonic() - began_s < 10, "it waited for a process that had ended"
    assert "engine.log" in caught.value.hint


def test_an_engine_that_never_answers_is_given_up(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.put("docker", "#!/bin/sh\nexit 1\n")
    monkeypatch.setattr(engine, "_START_TIMEOUT_S", 1.0)
    with pytest.raises(ToolchainError, match="does not answer"):
        machine.ensure()


def test_an_address_that_does_not_answer_is_named_and_nothing_started(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    with pytest.raises(ToolchainError, match=re.escape("tcp://127.0.0.1:9")):
        machine.ensure()
    assert not (machine.run / "docker.pid").exists()


@pytest.mark.parametrize(
    ("codename", "user", "has_docker", "hint"),
    [
        ("", 0, False, "install Docker"),
        ("", 0, True, "start Docker"),
        ("bookworm", 1000, False, "install Docker"),
        ("bookworm", 1000, True, "start Docker"),
    ],
)
def test_where_it_is_not_to_be_installed_the_error_says_what_to_do(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    codename: str,
    user: int,
    has_docker: bool,
    hint: str,
) -> None:
    monkeypatch.setattr(engine, "debian_codename", lambda: codename)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    if not has_docker:
        (machine.bin / "docker").unlink()
        monkeypatch.setenv("PATH", str(machine.bin))
    with pytest.raises(ToolchainError) as caught:
        machine.ensure()
    assert hint in caught.value.hint
    assert 3 == caught.value.exit_code


def test_a_missing_daemon_is_installed_from_the_release_that_works_and_said_so(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    daemon = (machine.bin / "dockerd").rename(tmp_path / "dockerd")
    calls = tmp_path / "apt-get.calls"
    machine.put(
        "apt-get",
        f'#!/bin/sh\necho "$@" >> {calls}\ncase "$*" in *" install "*) mv {daemon} {machine.bin} ;; esac\n',
    )
    monkeypatch.setenv("PATH", f"{machine.bin}:/bin")
    source = debian.debian_source(_apt_folder(tmp_path), "bookworm")
    monkeypatch.setattr(engine, "debian_source", lambda: source)
    machine.ensure()
    assert "installing Debian trixie's docker.io" in machine.said[0]
    update, install = calls.read_text().splitlines()
    assert update.endswith(" update")
    assert install.endswith(" install --yes --no-install-recommends docker.io containerd")
    assert "Dir::Etc::sourceparts=-" in install, "the machine's own package lists would be used"
    preferences = (machine.cache.root / "engine/apt/preferences").read_text()
    assert "Package: docker.io containerd\nPin: release n=trixie\nPin-Priority: 990" in preferences
    assert "Package: *\nPin: release n=trixie\nPin-Priority: 100" in preferences, "runc stays the machine's"


def test_low_inotify_limits_are_raised_and_high_ones_left(tmp_path: Path) -> None:
    (tmp_path / "max_user_instances").write_text("128\n")
    (tmp_path / "max_user_watches").write_text("9999999\n")
    said: list[str] = []
    engine.raise_inotify_limits(say=said.append, folder=tmp_path)
    assert "512\n" == (tmp_path / "max_user_instances").read_text()
    assert "9999999\n" == (tmp_path / "max_user_watches").read_text()
    assert 1 == len(said)
    engine.raise_inotify_limits(say=said.append, folder=tmp_path)
    assert 1 == len(said), "raised once, there is nothing to say"


def test_where_low_limits_cannot_be_raised_the_command_for_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "max_user_instances").write_text("128\n")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    said: list[str] = []
    engine.raise_inotify_limits(say=said.append, folder=tmp_path)
    assert ["several nodes need a higher limit: sudo sysctl fs.inotify.max_user_instances=512"] == said
    assert "128\n" == (tmp_path / "max_user_instances").read_text()


def test_a_kernel_without_these_limits_is_left_alone(tmp_path: Path) -> None:
    engine.raise_inotify_limits(say=pytest.fail, folder=tmp_path)


def _apt_folder(folder: Path) -> Path:
    (folder / "apt").mkdir()
    (folder / "apt/sources.list").write_text("deb http://mirror.example/debian bookworm main\n")
    return folder / "apt"
