"""A cluster that is told what to answer."""

import pytest

from loadtest.cluster.kubectl import Kubectl
from tests.integration.fake_program import FakeProgram


@pytest.fixture
def kubectl(program: FakeProgram) -> Kubectl:
    return Kubectl(kubeconfig_path="k", context="c", program=program.path)
