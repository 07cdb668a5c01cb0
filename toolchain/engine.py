"""The container engine: a running one is used; on Debian as root a missing one is installed and started.

Anywhere else the user is told what to install. Which images are in the engine is not looked at here.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Cache
from toolchain.debian import Apt, debian_codename, debian_source, path_with_sbin
from toolchain.errors import ToolchainError
from toolchain.process import Processes

# Debian 12's own docker.io refuses privileged containers where the machine withholds CAP_SYS_RESOURCE.
_ENGINE_SUITE = "trixie"
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 30.0
_ASK_TIMEOUT_S = 10.0
_POLL_S = 0.1
_RUN = Path("/var/run")
_SYSTEMD = Path("/run/systemd/system")
_PID_FILES = {"dockerd": "docker.pid", "containerd": "docker/containerd/containerd.pid"}
# What several Kubernetes nodes on one kernel need; the usual defaults let the third node's kubelet fail.
_INOTIFY_LEAST = {"max_user_instances": 512, "max_user_watches": 524_288}

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class EngineStatus:
    """Whether an engine answers, and the process of the one started here."""

    version: str | None
    started_pid: int | None


def ensure_engine(*, cache: Cache, say: Say) -> None:
    """Return when an engine answers."""
    if _version() is not None:
        return
    _refuse_where_not_ours_to_start()
    if _daemon() is None:
        say(f"no container engine on this machine: installing Debian {_ENGINE_SUITE}'s docker.io")
        _install(cache)
    start(cache=cache, say=say)


def start(*, cache: Cache, say: Say) -> None:
    """Start the installed engine, detached from this process, and wait until it answers."""
    if _SYSTEMD.is_dir():
        say("starting the container engine: systemctl start docker")
        Processes().run(("systemctl", "start", "docker"), log=_log(cache), what="container engine")
        _wait_until_it_answers(cache)
        return
    _forget_the_dead()
    if _noted_pid(_RUN / _PID_FILES["dockerd"]) is not None:
        say("waiting for the container engine, which somebody has started")
        _wait_until_it_answers(cache)
        return
    daemon = _daemon()
    if daemon is None:
        raise ToolchainError("there is no dockerd on this machine", hint="install Docker Engine")
    say(f"starting the container engine: dockerd, its log in {_log(cache)}")
    pid = _spawn(daemon, cache)
    _wait_until_it_answers(cache, ended=lambda: _command_of(pid) is None)


def stop(*, cache: Cache, say: Say) -> None:
    """Stop the engine that was started here; any other is left alone."""
    pid = _started_pid(cache)
    if pid is None:
        say("no container engine was started here, so none is stopped")
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    while _command_of(pid) == "dockerd":
        if time.monotonic() > deadline:
            raise ToolchainError(
                f"the container engine (process {pid}) did not stop within {_STOP_TIMEOUT_S:.0f} s",
                hint=f"see {_log(cache)}; `kill -9 {pid}` ends it, the next start copes with the rest",
            )
        time.sleep(_POLL_S)
    _record(cache).unlink()
    say(f"the container engine (process {pid}) is stopped")


def status(*, cache: Cache) -> EngineStatus:
    """What there is."""
    return EngineStatus(version=_version(), started_pid=_started_pid(cache))


def raise_inotify_limits(*, say: Say, folder: Path = Path("/proc/sys/fs/inotify")) -> None:
    """Raise the kernel's limits to what a three-node cluster needs, or say how where this user may not."""
    for name, least in _INOTIFY_LEAST.items():
        file = folder / name
        if not file.exists() or int(file.read_text()) >= least:
            continue
        if not os.access(file, os.W_OK):
            say(f"several nodes need a higher limit: sudo sysctl fs.inotify.{name}={least}")
            continue
        say(f"raising fs.inotify.{name} to {least} until the next boot")
        file.write_text(f"{least}\n")


def _refuse_where_not_ours_to_start() -> None:
    host = os.environ.get("DOCKER_HOST")
    if host:
        raise ToolchainError(
            f"no container engine answers at DOCKER_HOST={host}", hint="start it, or unset DOCKER_HOST"
        )
    if not debian_codename() or os.geteuid() != 0:
        installed = shutil.which("docker") is not None
        raise ToolchainError(
            "no container engine answers" if installed else "there is no container engine on this machine",
            hint="start Docker and see that your user may use it (`docker version` has to show a server)"
            if installed
            else "install Docker Engine or Docker Desktop; on Debian, root's set-up installs it by itself",
        )


def _daemon() -> str | None:
    return shutil.which("dockerd", path=path_with_sbin())


def _install(cache: Cache) -> None:
    def run(*args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
        return Processes().run(args, log=_log(cache), what="container engine", cwd=cwd, env=env)

    codename = debian_codename()
    suites = (codename,) if codename == _ENGINE_SUITE else (codename, _ENGINE_SUITE)
    apt = Apt(folder=cache.root / "engine" / "apt", suites=suites, source=debian_source(), run=run)
    apt.update()
    packages = ["docker.io", "containerd"] + ([] if shutil.which("docker") else ["docker-cli"])
    if codename != _ENGINE_SUITE:
        apt.prefer(_ENGINE_SUITE, packages)
    apt.install(*packages)


def _forget_the_dead() -> None:
    """A pid left by a killed daemon may be another program's by now, and the next daemon would give up."""
    for command, name in _PID_FILES.items():
        pid = _noted_pid(_RUN / name)
        if pid is not None and _command_of(pid) != command:
            (_RUN / name).unlink()


def _noted_pid(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _spawn(daemon: str, cache: Cache) -> int:
    """Start the daemon in a session of its own, and note its pid; it stays when this process has ended."""
    log, record = _log(cache), _record(cache)
    for file in (log, record):
        file.parent.mkdir(parents=True, exist_ok=True)
    streams = (
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    )
    environment = {**os.environ, "PATH": path_with_sbin()}
    pid = os.posix_spawn(daemon, ["dockerd"], environment, file_actions=streams, setsid=True)
    record.write_text(json.dumps({"pid": pid, "started": _started_at(pid)}))
    return pid


def _wait_until_it_answers(cache: Cache, ended: Callable[[], bool] = lambda: False) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while _version() is None:
        if ended() or time.monotonic() > deadline:
            raise ToolchainError(
                f"the container engine does not answer:\n{_last_lines(_log(cache))}",
                hint=f"the whole log: {_log(cache)}; any engine that `docker version` shows is used",
            )
        time.sleep(_POLL_S)


def _version() -> str | None:
    try:
        asked = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            text=True,
            timeout=_ASK_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None


def _command_of(pid: int) -> str | None:
    """The command of a process that runs; of a finished one nobody has waited for, none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    command, _, rest = stat.partition("(")[2].rpartition(") ")
    return None if rest.startswith("Z") else command


def _started_at(pid: int) -> int | None:
    """The clock tick of the process's start, which tells it from a later one with the same number."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19])
    except OSError:
        return None


def _started_pid(cache: Cache) -> int | None:
    try:
        record = json.loads(_record(cache).read_text())
        pid, started = int(record["pid"]), record["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if _command_of(pid) == "dockerd" and _started_at(pid) == started else None


def _record(cache: Cache) -> Path:
    return cache.root / "engine" / "started.json"


def _log(cache: Cache) -> Path:
    return cache.logs / "engine.log"


def _last_lines(log: Path, lines: int = 12) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
