"""The load balancer's image in the engine: it starts as kind starts it, and follows what kind tells it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest

from toolchain.pins import load_pins

pytestmark = pytest.mark.cluster

FOLDER = "/home/envoy"
BOOTSTRAP = f"""
node: {{cluster: test, id: test}}
dynamic_resources:
  cds_config: {{resource_api_version: V3, path_config_source: {{path: {FOLDER}/cds.yaml}}}}
  lds_config: {{resource_api_version: V3, path_config_source: {{path: {FOLDER}/lds.yaml}}}}
"""
# Forwards one port to another one of the same container, where bash answers.
CLUSTERS = """
resources:
- "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
  name: behind
  type: STATIC
  load_assignment:
    cluster_name: behind
    endpoints:
    - lb_endpoints:
      - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 10001}}}
"""
LISTENERS = """
resources:
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: front
  address: {socket_address: {address: 0.0.0.0, port_value: 6443}}
  filter_chains:
  - filters:
    - name: envoy.filters.network.tcp_proxy
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
        stat_prefix: front
        cluster: behind
"""
# A second Envoy is what answers: its page of readiness.
BACKEND = """
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 10001}}}
"""
REQUEST = r"GET /ready HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n"
ASK = f"exec 3<>/dev/tcp/127.0.0.1/6443 && printf '{REQUEST}' >&3 && cat <&3"


def docker(*args: str, text: str = "", check: bool = True) -> str:
    done = subprocess.run(("docker", *args), input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout


def write(container: str, file: str, text: str) -> None:
    """As kind does it: beside the file, then in its place."""
    docker("exec", "--interactive", container, "cp", "/dev/stdin", f"{file}.new", text=text)
    docker("exec", container, "sh", "-c", f"chmod 666 {file}.new && mv {file}.new {file}")


@pytest.fixture
def balancer() -> Iterator[str]:
    image = load_pins()["image-envoy"].image
    assert image is not None
    empty = f"echo 'resources: []' > {FOLDER}/cds.yaml && echo 'resources: []' > {FOLDER}/lds.yaml"
    start = (
        f"mkdir -p {FOLDER} && {empty} && echo '{BACKEND}' > {FOLDER}/backend.yaml"
        f" && echo '{BOOTSTRAP}' > {FOLDER}/envoy.yaml && envoy --base-id 1 -c {FOLDER}/backend.yaml &"
        f" while sleep 0.1; do envoy -c {FOLDER}/envoy.yaml; done"
    )
    name = docker("run", "--detach", "--rm", "--network=none", image.reference, "bash", "-c", start).strip()
    yield name
    docker("rm", "--force", name)


def test_it_forwards_to_whatever_it_is_told_while_it_runs(balancer: str) -> None:
    assert "LIVE" not in docker("exec", balancer, "bash", "-c", ASK, check=False), "nobody told it yet"
    for file, text in {"cds.yaml": CLUSTERS, "lds.yaml": LISTENERS}.items():
        write(balancer, f"{FOLDER}/{file}", text)
    deadline_s = time.monotonic() + 20
    while "LIVE" not in (answer := docker("exec", balancer, "bash", "-c", ASK, check=False)):
        assert time.monotonic() < deadline_s, docker("logs", balancer) + answer
        time.sleep(0.1)
