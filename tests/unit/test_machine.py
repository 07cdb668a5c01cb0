"""The machine's facts, from real and from odd systems."""

import os
import platform
from pathlib import Path

import pytest

from loadtest import machine


def test_this_machine_says_what_it_is() -> None:
    facts = machine.read()
    assert facts.cpu_model
    assert 1 <= facts.cpu_count <= (os.cpu_count() or 0)
    assert facts.memory_bytes > 2**28
    assert facts.kernel == f"{platform.system()} {platform.release()}"


def test_the_model_is_read_where_the_kernel_names_it(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel\t\t: 85\nmodel name\t: Example CPU: 2\n")
    assert machine.read(tmp_path).cpu_model == "Example CPU: 2"


def test_a_kernel_without_a_model_name_leads_to_the_platform_s_word(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nCPU part\t: 0xd0c\n")
    assert machine.read(tmp_path).cpu_model == (platform.processor() or platform.machine())


def test_a_system_without_proc_still_answers(tmp_path: Path) -> None:
    assert machine.read(tmp_path / "none").cpu_model == (platform.processor() or platform.machine())


STAT = """cpu  1000 20 300 5000 40 5 6 70 8 9
cpu0 500 10 150 2500 20 3 3 35 4 5
cpu1 500 10 150 2500 20 2 3 35 4 4
intr 12345 0 1
"""


def test_cpu_time_is_read_with_guests_counted_once(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text(STAT)
    ticks = os.sysconf("SC_CLK_TCK")
    assert machine.read_now(tmp_path).cpu == machine.CpuTime(
        cpus=2, busy_s=1331 / ticks, stolen_s=70 / ticks, total_s=pytest.approx(6441 / ticks)
    )


def test_waiting_is_read_as_far_as_the_kernel_tells_it(tmp_path: Path) -> None:
    (tmp_path / "pressure").mkdir()
    (tmp_path / "pressure" / "cpu").write_text(
        "some avg10=40.33 avg60=28.12 avg300=19.88 total=9430581\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"
    )
    assert machine.read_now(tmp_path).stalled_s == {"cpu": 9.430581}


def test_a_system_without_such_files_has_no_noughts(tmp_path: Path) -> None:
    reading = machine.read_now(tmp_path)
    assert (reading.cpu, reading.stalled_s) == (None, {})


def test_what_this_machine_has_done_grows() -> None:
    first, second = machine.read_now(), machine.read_now()
    assert first.cpu is not None
    assert second.cpu is not None
    assert 0 < first.cpu.busy_s <= second.cpu.busy_s < second.cpu.total_s
    assert second.at_s >= first.at_s
