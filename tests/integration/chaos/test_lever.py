"""A shell that does and undoes one thing, on a stand-in for a node: this machine itself."""

import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from loadtest.chaos import lever as lever_module
from loadtest.chaos import moves
from loadtest.chaos.lever import ByProgram, Lever, Move
from loadtest.errors import ChaosError
from tests.levers import killed_with_its_lever_pulled
from tests.waiting import comes_true

# As `docker exec --interactive NODE` runs what follows on a node.
DOCKER = '#!/bin/sh\n[ "$3" = node-1 ] || { echo "no such container"; exit 1; }\nshift 3\nexec "$@"\n'
MARK = Move(prepare='[ -d "$1" ] || exit 1', do='touch "$1/done"', undo='touch "$1/undone"')


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    _program(programs / "docker", DOCKER)
    monkeypatch.setenv("PATH", str(programs), prepend=":")


def _program(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o755)


def marks(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir() if file.name in {"done", "undone"}}


def test_it_does_nothing_until_it_is_pulled_and_undoes_it_when_released(tmp_path: Path) -> None:
    lever = Lever("node-1", MARK, str(tmp_path))
    time.sleep(0.1)
    assert marks(tmp_path) == set()
    lever.pull()
    assert marks(tmp_path) == {"done"}
    lever.release()
    assert marks(tmp_path) == {"done", "undone"}


def test_a_lever_that_was_never_pulled_undoes_nothing(tmp_path: Path) -> None:
    lever = Lever("node-1", MARK, str(tmp_path))
    lever.release()
    assert marks(tmp_path) == set()


def test_what_was_done_is_undone_when_this_program_is_killed(tmp_path: Path) -> None:
    move = f"Move(do={MARK.do!r}, undo={MARK.undo!r})"
    with killed_with_its_lever_pulled(f"Lever('node-1', {move}, {str(tmp_path)!r})"):
        assert marks(tmp_path) == {"done"}
    assert comes_true(lambda: "undone" in marks(tmp_path)), "nobody undid it"


def test_why_a_node_does_not_let_it_is_said() -> None:
    with pytest.raises(ChaosError, match="on node node-2: no such container"):
        Lever("node-2", MARK)


def test_why_it_could_not_be_done_is_said(tmp_path: Path) -> None:
    lever = Lever("node-1", Move(do="echo 'qdisc kind is unknown' >&2; false"))
    with pytest.raises(ChaosError, match="qdisc kind is unknown"):
        lever.pull()
    lever.release()


def test_a_node_that_does_not_answer_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lever_module, "_ANSWER_S", 0.3)
    with pytest.raises(ChaosError, match="no answer within"):
        Lever("node-1", Move(prepare="sleep 5", do="true"))


def test_what_a_program_lost_while_it_did_its_work_is_said() -> None:
    lever = Lever("node-1", ByProgram(script="echo ready; read -r _; echo done; echo '7 packets were lost'"))
    lever.pull()
    with pytest.raises(ChaosError, match="on node node-1: 7 packets were lost"):
        lever.release()


def test_a_pod_whose_containers_do_not_run_there_is_not_hit() -> None:
    with pytest.raises(ChaosError, match="container 0123 does not run here"):
        Lever("node-1", moves.KILL_POD, "0123")


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(("sleep", "60")) as running:
        yield running
        running.kill()


def container_of(processes: Sequence[int], programs: Path) -> None:
    """One whose processes are listed, where the node's `find` shows it."""
    listed = programs / "cgroup.procs"
    listed.write_text("".join(f"{pid}\n" for pid in processes))
    _program(programs / "find", f"#!/bin/sh\necho {listed}\n")


def ended() -> int:
    with subprocess.Popen(("true",)) as short:
        return short.pid


@pytest.mark.parametrize("last", [False, True], ids=["ended-first", "ended-last"])
def test_a_process_that_ended_meanwhile_does_not_keep_the_others_from_being_killed(
    last: bool, process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    pids = [process.pid, ended()] if last else [ended(), process.pid]
    container_of(pids, tmp_path / "bin")
    lever = Lever("node-1", moves.KILL_POD, "0123")
    lever.pull()
    lever.release()
    assert -signal.SIGKILL == process.wait(timeout=5)


def test_a_frozen_pod_goes_on_though_a_process_of_it_ended_meanwhile(
    process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    container_of([process.pid, ended()], tmp_path / "bin")
    lever = Lever("node-1", moves.FREEZE_POD, "0123")
    lever.pull()
    stopped = comes_true(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
    lever.release()
    assert stopped
    assert comes_true(lambda: psutil.Process(process.pid).status() != psutil.STATUS_STOPPED)


@pytest.mark.parametrize("move", [moves.KILL_POD, moves.FREEZE_POD], ids=["kill", "freeze"])
def test_a_container_that_ended_meanwhile_is_not_said_to_be_hit(move: Move, tmp_path: Path) -> None:
    container_of([ended()], tmp_path / "bin")
    lever = Lever("node-1", move, "0123")
    (tmp_path / "bin" / "cgroup.procs").unlink()
    with pytest.raises(ChaosError, match="nothing runs in it any more"):
        lever.pull()
    lever.release()
