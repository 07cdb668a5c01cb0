"""What a failed run leaves behind to be understood: events, descriptions and logs, in files and last lines.

Gathers as much as it can: a part that fails is noted and the next one goes on; nothing is raised for it.
Secrets are never asked for, and what looks like one is taken out of every file. Everything is capped.
"""

import logging
import subprocess
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loadtest.cluster.kubectl import Kubectl
from loadtest.cluster.objects import Event, Pod, PodName
from loadtest.cluster.redact import redacted
from loadtest.cluster.states import event_lines, pod_troubles, telling_events, troubled_pods
from loadtest.errors import LoadTestError, UnhealthyError

logger = logging.getLogger(__name__)

_ANSWER_S = 20.0
_EXPORT_S = 90.0
_FILE_BYTES = 10_000_000
_PODS_WITH_LOGS = 40
_LOG_LINES = 500
_LOG_BYTES = 1_000_000
_TAIL_EVENTS = 8
_TAIL_PODS = 3
_TAIL_LOG_LINES = 12
_TAIL_CHARACTERS = 300

_ALL = "--all-namespaces"
_NODES_FILE = {"nodes.txt": ("describe", "nodes")}
_FILES = {
    "workloads.txt": ("get", "deployments,statefulsets,daemonsets,services,ingresses", _ALL, "-o", "wide"),
    "pods.txt": ("get", "pods", _ALL, "-o", "wide"),
    "pod-descriptions.txt": ("describe", "pods", _ALL),
}


@dataclass(frozen=True, kw_only=True)
class Diagnostics:
    """`tail` is for reports: the few lines most likely to say why. `failures` names what could not be had."""

    folder: Path
    tail: tuple[str, ...]
    failures: tuple[str, ...]


def gather(kubectl: Kubectl, *, kind_cluster: str | None, folder: Path) -> Diagnostics:
    """Fill the folder. `kind_cluster` is the name of the kind cluster, None where it is none of kind's."""
    gathering = _Gathering(folder)
    if gathering.part("the cluster", lambda: kubectl.text("version", timeout_s=_ANSWER_S)):
        gathering.from_cluster(kubectl)
    if kind_cluster:
        gathering.part("kind export logs", lambda: _export(kind_cluster, folder / "kind"))
    gathering.part("the list of what failed", gathering.list_failures)
    return Diagnostics(folder=folder, tail=tuple(gathering.tail), failures=tuple(gathering.failures))


class _Gathering:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.tail: list[str] = []
        self.failures: list[str] = []

    def part(self, name: str, action: Callable[[], object]) -> bool:
        """Do one part; whether it succeeded. A failure is noted."""
        try:
            action()
        except (LoadTestError, OSError, subprocess.SubprocessError) as error:
            reason = error.message if isinstance(error, LoadTestError) else str(error)
            self.failures.append(redacted(f"{name}: {reason}"))
            logger.warning("a part of the diagnostics failed", extra={"part": name, "reason": reason})
            return False
        return True

    def from_cluster(self, kubectl: Kubectl) -> None:
        # A node's description names the pods of everybody on it.
        of_nodes = _NODES_FILE if kubectl.namespaces is None else {}
        for name, words in (of_nodes | _FILES).items():
            self.part(name, partial(self._answer, kubectl, name, words))
        pods: list[Pod] = []
        self.part("pods", lambda: pods.extend(kubectl.items(Pod, "pods", _ALL, timeout_s=_ANSWER_S)))
        troubled = troubled_pods(pods)
        self._extend_tail(pod_troubles(pods))
        self.part("events", lambda: self._events(kubectl, troubled))
        pods.sort(key=lambda pod: (pod.metadata.namespace, pod.metadata.name) not in troubled)
        for number, pod in enumerate(pods[:_PODS_WITH_LOGS]):
            in_tail = number < min(_TAIL_PODS, len(troubled))
            self._logs(kubectl, pod, in_tail=in_tail)

    def list_failures(self) -> None:
        if self.failures:
            self._keep("failures.txt", "\n".join(self.failures) + "\n")

    def _answer(self, kubectl: Kubectl, name: str, words: Sequence[str]) -> None:
        self._keep(name, kubectl.text(*words, timeout_s=_ANSWER_S))

    def _events(self, kubectl: Kubectl, troubled: Collection[PodName]) -> None:
        events = kubectl.items(Event, "events", _ALL, timeout_s=_ANSWER_S)
        self._keep("events.txt", "\n".join(event_lines(events)) + "\n")
        self._extend_tail(event_lines(telling_events(events, troubled))[-_TAIL_EVENTS:])

    def _logs(self, kubectl: Kubectl, pod: Pod, *, in_tail: bool) -> None:
        for status in pod.status.container_statuses:
            self._log(kubectl, pod, status.name, in_tail=in_tail)
            if status.restart_count:
                self._log(kubectl, pod, status.name, "--previous", in_tail=in_tail)

    def _log(self, kubectl: Kubectl, pod: Pod, container: str, *flags: str, in_tail: bool) -> None:
        namespace, name = pod.metadata.namespace, pod.metadata.name
        title = "_".join((namespace, name, container, *(flag.strip("-") for flag in flags)))
        caps = (f"--tail={_LOG_LINES}", f"--limit-bytes={_LOG_BYTES}")
        words = ("logs", "--namespace", namespace, name, "--container", container, *caps, *flags)

        def keep() -> None:
            text = kubectl.text(*words, timeout_s=_ANSWER_S)
            self._keep(f"logs/{title}.log", text)
            if in_tail:
                self._extend_tail([f"{title}: {line}" for line in text.splitlines()[-_TAIL_LOG_LINES:]])

        self.part(f"log of {title}", keep)

    def _keep(self, name: str, text: str) -> None:
        file = self._folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(redacted(text)[-_FILE_BYTES:])

    def _extend_tail(self, lines: Sequence[str]) -> None:
        self.tail += [redacted(line)[:_TAIL_CHARACTERS] for line in lines]


def _export(cluster: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            ("kind", "export", "logs", "--name", cluster, str(folder)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_EXPORT_S,
        )
    finally:
        # What was exported before a failure stays, and must not stay as it is.
        for file in folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                _clean(file)
    if done.returncode != 0:
        raise UnhealthyError(f"`kind export logs` failed: {done.stderr.strip()[-_TAIL_CHARACTERS:]}")


def _clean(file: Path) -> None:
    """Take secrets out of a file that another program wrote, and cap it at its end.

    A binary file cannot be cleaned, so it is not kept: of the journals there is a text as well.
    """
    content = file.read_bytes()
    if b"\0" in content:
        file.unlink()
        return
    text = content.decode(errors="replace")
    if (clean := redacted(text)[-_FILE_BYTES:]) != text:
        file.write_text(clean)
