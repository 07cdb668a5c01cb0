"""Real programs: what they print is kept, and none outlives its purpose."""

import os
import sys
import time
from pathlib import Path

import pytest

from loadtest import process
from loadtest.errors import MachineError

# Prints its own pid and that of a child which ignores the interrupt that ends the parent.
STUBBORN = """
import os, signal, subprocess, sys, time
deaf = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", deaf])
print(os.getpid(), child.pid, flush=True)
time.sleep(60)
"""


def run(program: str, tmp_path: Path, **options: object) -> process.Completed:
    settings: dict[str, object] = {"folder": tmp_path, "log": tmp_path / "log", "timeout_s": 30.0, **options}
    return process.run((sys.executable, "-c", program), **settings)  # type: ignore[arg-type]


def test_output_goes_to_the_log_and_line_by_line_to_who_listens(tmp_path: Path) -> None:
    heard: list[str] = []
    done = run("import sys; print('one'); print('two', file=sys.stderr)", tmp_path, on_line=heard.append)

    assert done.succeeded
    assert sorted(heard) == ["one", "two"]
    assert sorted((tmp_path / "log").read_text().split()) == ["one", "two"]


def test_it_finds_its_settings_beside_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THERE", "already")
    heard: list[str] = []
    program = "import os; print(os.environ['THERE'], os.environ['SAID'])"
    run(program, tmp_path, on_line=heard.append, settings={"SAID": "for it alone"})
    assert heard == ["already for it alone"]
    assert "SAID" not in os.environ


def test_the_exit_code_and_the_last_lines_are_told(tmp_path: Path) -> None:
    done = run("import sys; [print(n) for n in range(100)]; sys.exit(3)", tmp_path)

    assert (done.exit_code, done.succeeded) == (3, False)
    assert done.tail[-1] == "99"
    assert len(done.tail) < 100


# Prints the pid of a child in a group of its own, as the engine's plugins are, and is killed.
KILLED = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0{})
print(child.pid, flush=True)
os.kill(os.getpid(), 9)
"""
SILENT = ", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL"


@pytest.mark.parametrize("output", [SILENT, ""], ids=["of its own", "the program's"])
def test_a_program_that_is_killed_leaves_nothing_of_its_session(tmp_path: Path, output: str) -> None:
    done = run(KILLED.format(output), tmp_path, timeout_s=120.0)

    assert (done.exit_code, done.timed_out) == (-9, False)
    assert _gone(int(done.tail[0]))


def test_what_is_deaf_to_a_request_to_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_TO_END_S", 0.3)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); "
    program = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "{deaf}time.sleep(600)"], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid)
"""
    done = run(program, tmp_path, timeout_s=120.0)

    assert (done.exit_code, done.timed_out) == (0, False)
    assert _gone(int(done.tail[0]))


def test_a_program_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    heard: list[str] = []
    done = run(STUBBORN, tmp_path, timeout_s=1.0, on_line=heard.append)
    pids = [int(word) for word in heard[0].split()]

    assert done.timed_out
    assert not done.succeeded
    assert len(pids) == 2
    assert all(_gone(pid) for pid in pids), "no process of the session is left"


def test_an_interrupt_ends_the_program_with_its_children(tmp_path: Path) -> None:
    pids: list[int] = []

    def interrupt(line: str) -> None:
        pids.extend(map(int, line.split()))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(STUBBORN, tmp_path, on_line=interrupt)

    assert len(pids) == 2
    assert all(_gone(pid) for pid in pids)


def test_a_program_that_is_not_there_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"'no-such-program'[\s\S]*make setup"):
        process.run(("no-such-program",), folder=tmp_path, log=tmp_path / "log", timeout_s=1)


def test_a_question_that_fails_says_what_the_program_said(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="planted words"):
        process.answer(
            (sys.executable, "-c", "import sys; sys.exit('planted words')"), folder=tmp_path, timeout_s=10
        )


def test_a_question_without_an_answer_ends_in_time(tmp_path: Path) -> None:
    began_s = time.monotonic()
    with pytest.raises(MachineError, match="no answer within"):
        process.answer((sys.executable, "-c", "import time; time.sleep(30)"), folder=tmp_path, timeout_s=0.5)
    assert time.monotonic() - began_s < 10


def _gone(pid: int) -> bool:
    """Not there, or dead and not yet collected by whoever inherited it."""
    for _ in range(50):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.1)
    return False
