"""The machine's facts, from real and from odd systems."""

import os
import platform
from pathlib import Path

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
