"""Creates and deletes a KinD cluster; the commands of `infra.clusters.kind` run it as a program of its own.

`create` reads the cluster's config on stdin and prints a JSON object: `kubernetes` is the version that runs,
`nodes` are the ids of the node containers, the proof, at deletion, that the cluster of this name is still the
one that was made. It never adopts a cluster, and leaves none behind when it fails or is asked to stop.
Killed, it cannot clean up; the kubeconfig, which is there before the first container, then tells whose they
are. Standard library only: it also runs outside the virtual environment.
"""

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import ssl

ATTEMPTS = 2
# kubeadm and the node's start fail like this when a machine is short of CPU for a moment; trying again helps.
# Whatever is not listed here (a taken port, a missing image) fails the same way every time.
TRANSIENT = re.compile(
    r"could not find a log line that matches"
    r"|failed to (init|join) node with kubeadm: .*exit status 137"
    r"|curl -sSL http://(localhost|127\.0\.0\.1):10248/healthz"
    r"|wait-control-plane.*(timed out|deadline exceeded)"
)

# What kind says when the first control plane is up, and other nodes are not.
_API_ANSWERS = "\N{CHECK MARK} Starting control-plane"
# The version has to be there, the other need not.
_VERSION_AND_KUBECONFIG = "cat /kind/version && echo && { cat /etc/kubernetes/admin.conf || true; }"
# The form in which Pulumi's plugin asks for the schema: to make another one takes as long again.
_PLUGINS_FORM = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
_NAME_SERVERS = "/apis/apps/v1/namespaces/kube-system/deployments/coredns/scale"
_MERGE = {"Content-Type": "application/merge-patch+json"}
_API_S = 5.0
_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_EXPORT_LOGS_S = 60
_OTHER_DELETION_S = 30.0
_THAW_EVERY_S = 1.5  # longer than most deletions take
_LOGS = Path("artifacts", "diagnostics", "kind")  # of the project, in whose folder this runs
FREEZER = Path("/sys/fs/cgroup/freezer")


class CommandError(Exception):
    """The cluster could not be made or deleted; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The cluster as the commands' environment names it."""

    name: str
    kubeconfig: Path

    def create(self, config: bytes) -> Mapping[str, object]:
        """Makes the cluster, and says what was made."""
        if self.nodes():
            raise CommandError(f"a KinD cluster named {self.name} exists {self._whose()}")
        try:
            self._claim()
            return self._create_with_retries(config)
        except BaseException:
            self._remove(self._nodes_if_told())
            raise

    def delete(self, made: list[str]) -> None:
        """Deletes the cluster made of these node containers; another one of the same name stays."""
        with self._one_at_a_time():
            present = self.nodes()
            if present and made and not set(made) & set(present):
                _say(f"the KinD cluster {self.name} is not the one this stack made: it is left alone")
                return
            if present:
                self._remove(present)
            self.kubeconfig.unlink(missing_ok=True)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """A container that two delete at once is an error to one of them: better than to wait for ever."""
        self.kubeconfig.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(self.kubeconfig.parent, os.O_RDONLY)
        try:
            give_up_s = time.monotonic() + _OTHER_DELETION_S
            while not _locked(folder) and time.monotonic() < give_up_s:
                time.sleep(0.02)
            yield
        finally:
            os.close(folder)

    def nodes(self) -> list[str]:
        """The ids of the node containers of the cluster of this name, running or not."""
        label = f"label=io.x-k8s.kind.cluster={self.name}"
        listed = subprocess.run(
            ["docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", label],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if listed.returncode:
            raise CommandError("the container engine does not answer: is it running? `docker ps` shows it.")
        return sorted(listed.stdout.split())

    def _nodes_if_told(self) -> list[str]:
        with suppress(CommandError):
            return self.nodes()
        return []

    def _made(self) -> Mapping[str, object]:
        version, _ = self._of_first_node()
        return {"kubernetes": version, "nodes": self.nodes()}

    def _of_first_node(self) -> tuple[str, str]:
        """Kubernetes' version, as kind itself reads it (an image's tag may say anything), and kubeconfig."""
        told = subprocess.run(
            ["docker", "exec", f"{self.name}-control-plane", "sh", "-c", _VERSION_AND_KUBECONFIG],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if told.returncode:
            raise CommandError(f"the cluster {self.name} does not say which Kubernetes it runs")
        version, _, kubeconfig = told.stdout.partition("\n")
        return version.strip().removeprefix("v"), kubeconfig

    def _whose(self) -> str:
        if self.kubeconfig.exists():
            return (
                f"and so does {self.kubeconfig}: one begun by this stack was not deleted, as when "
                "its creation is cut off. `python -m loadtest destroy --stack <stack>` removes it."
            )
        return (
            "and is not this stack's: it is left alone. "
            f"Set another cluster_name, or remove it with `kind delete cluster --name {self.name}`."
        )

    def _claim(self) -> None:
        """The file is there before the first container and goes with the last: it says whose they are."""
        self.kubeconfig.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.kubeconfig.unlink(missing_ok=True)
        self.kubeconfig.touch(mode=0o600)

    def _create_with_retries(self, config: bytes) -> Mapping[str, object]:
        attempt = 1
        while True:
            made: dict[str, object] = {}
            failure = self._try_to_create(config, made)
            if failure is None:
                return made or self._made()
            if attempt == ATTEMPTS or not TRANSIENT.search(failure):
                self._keep_logs()
                raise CommandError(f"kind could not create the cluster {self.name}; its words are above")
            _say(f"attempt {attempt} of {ATTEMPTS} failed in a way that passes: trying again")
            attempt += 1
            self._remove(self._nodes_if_told())
            self._claim()

    def _try_to_create(self, config: bytes, made: dict[str, object]) -> str | None:
        """None where it worked, else what kind said, which was shown as it came.

        What was `made` is asked while nodes still join, so that nobody has to wait for it once they have.
        """

        beginning: list[threading.Thread] = []

        def api_answers() -> None:
            with suppress(CommandError):  # asked for again at the end
                version, kubeconfig = self._of_first_node()
                beginning.append(threading.Thread(target=begin_early, args=(kubeconfig,), daemon=True))
                beginning[-1].start()
                made.update(kubernetes=version, nodes=self.nodes())

        # Nodes of a failed attempt stay until their logs are saved. Readiness is for others to wait for.
        arguments = ["--config", "-", "--kubeconfig", str(self.kubeconfig), "--retain", "--wait", "0s"]
        with subprocess.Popen(
            ["kind", "create", "cluster", "--name", self.name, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            try:
                said = _converse(process, config, api_answers)
            except BaseException:
                process.kill()
                raise
        for one in beginning:
            one.join(_API_S)
        return said if process.returncode else None

    def _keep_logs(self) -> None:
        export = ["kind", "export", "logs", "--name", self.name, str(_LOGS)]
        try:
            subprocess.run(export, stdout=sys.stderr, check=False, timeout=_EXPORT_LOGS_S)
        except subprocess.TimeoutExpired:
            _say(f"the nodes' logs could not be saved within {_EXPORT_LOGS_S} s")

    def _remove(self, nodes: list[str]) -> None:
        for _ in range(ATTEMPTS):
            deleted = self._delete(nodes)
            left = self.nodes()
            if deleted and not left:
                self.kubeconfig.unlink(missing_ok=True)
                return
            thaw(left)
        raise CommandError(
            f"the cluster {self.name} could not be deleted: try `kind delete cluster --name {self.name}`"
        )

    def _delete(self, nodes: list[str]) -> bool:
        """Whether kind says so; of a frozen node, which is let go meanwhile, it would not."""
        command = ["kind", "delete", "cluster", "--name", self.name, "--kubeconfig", str(self.kubeconfig)]
        over = threading.Event()
        thawing = threading.Thread(target=_thaw_until, args=(over, nodes), daemon=True)
        thawing.start()
        try:
            return subprocess.run(command, stdout=sys.stderr, check=False).returncode == 0
        finally:
            over.set()
            thawing.join()


def _thaw_until(over: threading.Event, nodes: list[str]) -> None:
    while not over.wait(_THAW_EVERY_S):
        with suppress(CommandError):  # told when the deletion has failed
            thaw(nodes)


def _locked(folder: int) -> bool:
    """Also where the file system knows no such locks."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def thaw(nodes: list[str], freezer: Path = FREEZER) -> None:
    """Lets go of what killed nodes left frozen: on cgroup v1 such a process does not die, nor its container.

    A container's runtime freezes it for a moment whenever its limits are set; to be killed just then is rare.
    """
    for node in nodes:
        for folder, _, files in os.walk(freezer / "docker" / node):  # which passes over what goes meanwhile
            if "freezer.state" in files:
                _thaw(Path(folder, "freezer.state"))


def _thaw(state: Path) -> None:
    try:
        if state.read_text().strip() != "THAWED":
            state.write_text("THAWED")
    except PermissionError as error:
        raise CommandError(
            f"{state} may not be written to: what is frozen there keeps the cluster from ending"
        ) from error
    except OSError:  # it has just gone
        return


def _converse(process: subprocess.Popen[bytes], config: bytes, api_answers: Callable[[], None]) -> str:
    """What the process says to `config` on its stdin, passed on to stderr as it comes."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(config)
    process.stdin.close()
    said = []
    for line in process.stdout:
        said.append(line.decode(errors="replace"))
        print(said[-1], end="", file=sys.stderr, flush=True)
        if _API_ANSWERS in said[-1]:
            api_answers()
    return "".join(said)


def begin_early(kubeconfig: str) -> None:
    """What the API server can do while nodes join, that the stack would wait for otherwise.

    A second name server would come to the same node as the first, where others wait for its processors. The
    schema is made when it is first asked for.
    """
    with suppress(Exception):  # a short cut: whatever keeps it from being one, the stack waits
        # Imported now, as kind would have to wait for it before.
        from http.client import HTTPSConnection

        host, context = _signed_in(kubeconfig)
        address, port = _published(host)
        with closing(HTTPSConnection(address, port, context=context, timeout=_API_S)) as api:
            api.request("PATCH", _NAME_SERVERS, body='{"spec": {"replicas": 1}}', headers=_MERGE)
            api.getresponse().read()
            api.request("GET", "/openapi/v2", headers={"Accept": _PLUGINS_FORM})
            api.getresponse()


def _published(host: str) -> tuple[str, int]:
    """Where this machine reaches the API server of a container."""
    told = subprocess.run(
        ["docker", "port", host, "6443/tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=_API_S,
        check=True,
    )
    address, _, port = told.stdout.splitlines()[0].rpartition(":")
    return address, int(port)


def _signed_in(kubeconfig: str) -> "tuple[str, ssl.SSLContext]":
    import ssl
    from base64 import b64decode
    from tempfile import NamedTemporaryFile

    told = dict(re.findall(r"([a-z-]+): (\S+)", kubeconfig))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which trusts nobody yet
    context.load_verify_locations(cadata=b64decode(told["certificate-authority-data"]).decode())
    with NamedTemporaryFile() as file:  # the one way to give them; this user's alone, and gone at once
        file.write(b64decode(told["client-certificate-data"]) + b64decode(told["client-key-data"]))
        file.flush()
        context.load_cert_chain(file.name)
    return told["server"].removeprefix("https://").partition(":")[0], context


def cluster_of(environment: Mapping[str, str]) -> Cluster:
    return Cluster(name=environment["CLUSTER_NAME"], kubeconfig=Path(environment["KUBECONFIG_PATH"]))


def main(verb: str) -> int:
    for number in _STOPPING:
        signal.signal(number, _stop)
    try:
        cluster = cluster_of(os.environ)
        if verb == "create":
            print(json.dumps(cluster.create(sys.stdin.buffer.read())))
        else:
            made = json.loads(os.environ.get("PULUMI_COMMAND_STDOUT") or "{}")
            cluster.delete(made.get("nodes", []))
    except CommandError as error:
        _say(str(error))
        return 1
    except PermissionError as error:
        _say(f"{error.filename} may not be used by this user: its owner and mode decide that")
        return 1
    except FileNotFoundError as error:
        _say(f"{error.filename} is not to be found: `make setup` puts it on the PATH of .venv/bin/activate")
        return 1
    return 0


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    # Raised where the program is, so that a half-made cluster is removed on the way out; once is enough.
    for stopping in _STOPPING:
        signal.signal(stopping, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
