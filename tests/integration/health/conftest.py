"""A cluster that is told what to answer."""

from pathlib import Path

import pytest

from loadtest.cluster.kubectl import Kubectl
from tests.integration.fake_program import FakeProgram, fake_program


@pytest.fixture
def program(tmp_path: Path) -> FakeProgram:
    return fake_program(tmp_path, "kubectl")


@pytest.fixture
def kubectl(program: FakeProgram) -> Kubectl:
    return Kubectl(kubeconfig_path="k", context="c", program=program.path)
