"""Loads images of this machine's container engine into a KinD cluster's nodes, into all of them at once.

`infra.clusters.kind` runs it as a program of its own. IMAGES is a JSON object: by where images may run,
`ingress` for the node whose ports are mapped and `ordinary` for those that take whatever comes, an object of
their ids by their names. The ids are there to be compared: an image built anew is another command. Standard
library only.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO

_CHUNK_BYTES = 1 << 20


class LoadError(Exception):
    """An image did not get into a node; the message says why and what to do."""


def nodes_of(cluster: str) -> Mapping[str, Sequence[str]]:
    """The cluster's nodes by what may run on them."""
    form = '{{.Names}} {{.Label "io.x-k8s.kind.role"}}'
    listed = _answer("docker", "ps", "--filter", f"label=io.x-k8s.kind.cluster={cluster}", "--format", form)
    roles = dict(line.split() for line in listed.splitlines())
    workers = sorted(name for name, role in roles.items() if role == "worker")
    control_planes = sorted(name for name, role in roles.items() if role == "control-plane")
    if not control_planes:
        raise LoadError(
            f"no node of the cluster {cluster} runs: `docker ps --all` shows what became of them."
        )
    # Without workers the control planes take whatever comes. kind names the first of them just so.
    return {"ingress": (f"{cluster}-control-plane",), "ordinary": workers or control_planes}


def load(images: Sequence[str], nodes: Sequence[str]) -> None:
    """Saves the images once and has every node import them as they come."""
    # An engine may save an image with the index of all its platforms and the content of but one: its own.
    platform = _answer("docker", "version", "--format", "{{.Server.Os}}/{{.Server.Arch}}").strip()
    importing = ("ctr", "--namespace=k8s.io", "images", "import", "--platform", platform, "-")
    with subprocess.Popen(("docker", "save", *images), stdout=subprocess.PIPE) as save:
        imports = [_fed("docker", "exec", "--interactive", node, *importing) for node in nodes]
        assert save.stdout is not None
        _copy(save.stdout, [one.stdin for one in imports if one.stdin is not None])
        failed = [node for node, one in zip(nodes, imports, strict=True) if one.wait() != 0]
    if save.returncode or failed:
        where = ", ".join(failed) or "any node"
        raise LoadError(
            f"{', '.join(images)} did not get into {where}; the container engine's words are above"
        )


def _fed(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)


def _copy(source: IO[bytes], targets: Sequence[IO[bytes]]) -> None:
    while chunk := source.read(_CHUNK_BYTES):
        for target in targets:
            with _ended_early():
                target.write(chunk)
    for target in targets:
        with _ended_early():
            target.close()


def _ended_early() -> contextlib.AbstractContextManager[None]:
    """A node's import that failed says so by its exit code; the others are still to get all of it."""
    return contextlib.suppress(BrokenPipeError)


def _answer(*command: str) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise LoadError("the container engine does not answer: is it running? `docker ps` shows it.")
    return done.stdout


def main() -> int:
    images: Mapping[str, Mapping[str, str]] = json.loads(os.environ["IMAGES"])
    places = [place for place, named in images.items() if named]
    if not places:
        return 0
    try:
        nodes = nodes_of(os.environ["CLUSTER_NAME"])
        with ThreadPoolExecutor(len(places)) as pool:
            list(pool.map(lambda place: load(sorted(images[place]), nodes[place]), places))
    except LoadError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
