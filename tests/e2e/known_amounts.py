"""Known amounts of CPU, memory and bytes used in a pod of a real cluster: the figures have to be those.

And what is told of an app that goes beyond its limits. The apps say themselves what they used, see `burner`.
A chapter of `test_by_hand`, on the stack that is up there and has the image of these apps.
"""

import http.client
import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.workspace import PROJECT, Workspace, wait_until, windows_begun

_WINDOW_S = 14
_CPU_S = 1.5
_MEMORY_BYTES = 128 * 2**20
_BODY_BYTES, _BODIES = 900_000, 20  # the ingress takes no more than 1 MB at once
_BLOCK_BYTES, _BLOCKS = 65_536, 280


def known_amounts_are_told(workspace: Workspace) -> None:
    apps = yaml.safe_load(workspace.stack_file.read_text())["config"]["loadproof:apps"]
    burner = _app("burner", cpu_limit="2", memory_limit="256Mi")
    limited = _app("limited", cpu_limit="200m", memory_limit="64Mi")
    workspace.configure(apps=[*apps, burner, limited])
    up = workspace.pulumi("up", "--yes", "--skip-preview")
    assert up.returncode == 0, up.stdout + up.stderr
    wait_until(lambda: _answers(workspace, "burner"), timeout_s=30, what="the burner")
    wait_until(lambda: _answers(workspace, "limited"), timeout_s=30, what="the limited app")
    watching = _start_watching(workspace)
    _overstep_memory(workspace)
    used = _use_known_amounts(workspace)
    wait_until(lambda: _answers(workspace, "limited"), timeout_s=10, what="the limited app to be back")
    _ask(workspace, "limited", "/burn?cpu_s=0.4")
    assert watching.poll() is None, "everything happened before the window's end"
    assert watching.wait() == 0
    usage = json.loads((workspace.artifacts / "monitor.json").read_text())
    scopes = {scope["scope"]: scope for scope in usage["scopes"]}
    _burner_is_told_within_five_percent(scopes["burner"], used)
    _limits_are_told(scopes)
    _the_machine_is_told(usage["machine"])


def _app(name: str, **limits: str) -> dict[str, Any]:
    pins = tomllib.loads((PROJECT / "toolchain" / "pins.toml").read_text())
    return {
        "name": name,
        "host": f"{name}.localhost",
        "image": pins["image-locust"]["image"]["reference"],
        "args": ["-c", (Path(__file__).parent / "burner.py").read_text()],
        "port": 8080,
        "expected_body": "burner",
        **limits,
    }


def _start_watching(workspace: Workspace) -> "subprocess.Popen[bytes]":
    windows = windows_begun(workspace)
    watching = subprocess.Popen(
        (
            *("python", "-m", "loadtest", "monitor", "--stack", "e2e"),
            *("--duration", str(_WINDOW_S), "--interval", "2"),
        ),
        cwd=workspace.root,
        env=workspace.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    wait_until(lambda: windows_begun(workspace) > windows, timeout_s=30, what="the window")
    return watching


def _overstep_memory(workspace: Workspace) -> None:
    with pytest.raises((AssertionError, OSError)):
        _ask(workspace, "limited", "/hold?bytes=200000000&duration_s=60")


def _use_known_amounts(workspace: Workspace) -> dict[str, float]:
    """What the burner itself says that it used meanwhile."""
    before = json.loads(_ask(workspace, "burner", "/counters"))
    _ask(workspace, "burner", f"/hold?bytes={_MEMORY_BYTES}&duration_s=120")
    _ask(workspace, "burner", f"/burn?cpu_s={_CPU_S}")
    for _ in range(_BODIES):
        _ask(workspace, "burner", "/", body=bytes(_BODY_BYTES))
    assert len(_ask(workspace, "burner", f"/send?blocks={_BLOCKS}")) == _BLOCKS * _BLOCK_BYTES
    after = json.loads(_ask(workspace, "burner", "/counters"))
    return {name: after[name] - before[name] for name in before}


def _burner_is_told_within_five_percent(told: dict[str, Any], used: dict[str, float]) -> None:
    """The payload is less than its interface moved by the headers, which large segments keep few."""
    assert told["cpu_seconds"] == pytest.approx(used["cpu_s"], rel=0.05)
    received, transmitted = told["network_receive_bytes"], told["network_transmit_bytes"]
    assert received["value"] == pytest.approx(used["received_bytes"], rel=0.05)
    assert transmitted["value"] == pytest.approx(used["transmitted_bytes"], rel=0.05)
    assert received["value"] == pytest.approx(_BODIES * _BODY_BYTES, rel=0.05)
    assert transmitted["value"] == pytest.approx(_BLOCKS * _BLOCK_BYTES, rel=0.05)
    memory = told["memory_bytes"]
    assert memory["maximum"] - memory["minimum"] == pytest.approx(_MEMORY_BYTES, rel=0.05)
    curve = [one["cpu_cores"] for one in told["over_time"]]
    assert len(curve) == _WINDOW_S // 2
    assert sum(curve) / len(curve) == pytest.approx(told["cpu_cores"]["average"], rel=0.05)
    assert min(received["samples"], memory["samples"]) > 2, "Prometheus tells what lies between the edges"


def _limits_are_told(scopes: dict[str, Any]) -> None:
    burner, limited = scopes["burner"], scopes["limited"]
    assert (burner["restarts"]["value"], burner["oom_kills"]["value"]) == (0, 0)
    assert (limited["restarts"]["value"], limited["oom_kills"]["value"]) == (1, 1)
    assert (scopes["cluster"]["restarts"]["value"], scopes["cluster"]["oom_kills"]["value"]) == (1, 1)
    # 0.4 s of CPU at a fifth of a CPU take 2 s, of which the limit holds it back for 1.6 on an idle machine.
    # On a busy one others hold it up first, and leave the limit the less to do.
    assert 0.1 < limited["cpu_throttled_s"]["value"] <= 2.5
    assert limited["cpu_throttled_ratio"] > 0.1
    assert burner["cpu_throttled_ratio"] < 0.1
    assert limited["cpu_stalled_s"]["samples"] in (0, *range(2, 20)), "missing, or told by both edges"


def _the_machine_is_told(machine: dict[str, Any]) -> None:
    assert machine["window_s"] == pytest.approx(_WINDOW_S, abs=2)
    assert _CPU_S / _WINDOW_S < machine["busy_cores"] <= machine["cpus"] * 1.02
    assert machine["other_cores"] < machine["busy_cores"]


def _answers(workspace: Workspace, app: str) -> bool:
    try:
        return _ask(workspace, app, "/") == b"burner"
    except (AssertionError, OSError, http.client.HTTPException):
        return False


def _ask(workspace: Workspace, app: str, path: str, *, body: bytes | None = None) -> bytes:
    config = yaml.safe_load(workspace.stack_file.read_text())["config"]
    connection = http.client.HTTPConnection("127.0.0.1", config["loadproof:ingress_port"], timeout=60)
    try:
        connection.request("GET" if body is None else "POST", path, body, {"Host": f"{app}.localhost"})
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    assert answer.status == 200, (answer.status, content[:200])
    return content
