"""Copies a certificate to the apps; the command of `infra.workloads.certificate` runs it.

From the cluster straight back into it: what is in the secret is shown nowhere and in no file or state.
Standard library only, like the other command: it also runs outside the virtual environment.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TYPE = "kubernetes.io/tls"
_TIMEOUT_S = 60


class CommandError(Exception):
    """The secret could not be copied; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """`kubectl` is the command with its flags."""

    kubectl: tuple[str, ...]
    source: str
    source_namespace: str
    target: str
    target_namespace: str

    def create(self) -> None:
        where = ("--namespace", self.source_namespace)
        secret = json.loads(self._run("get", "secret", self.source, *where, "--output", "json"))
        self._run("create", "--filename", "-", stdin=json.dumps(self.document(secret)))

    def delete(self) -> None:
        where = ("--namespace", self.target_namespace)
        self._run("delete", "secret", self.target, *where, "--ignore-not-found")

    def document(self, secret: Mapping[str, Any]) -> dict[str, Any]:
        if secret["type"] != _TYPE:
            name = f"{self.source_namespace}/{self.source}"
            raise CommandError(f"the secret {name} is of type {secret['type']}, it has to be {_TYPE}")
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": _TYPE,
            "metadata": {"name": self.target, "namespace": self.target_namespace},
            "data": secret["data"],
        }

    def _run(self, *words: str, stdin: str = "") -> str:
        done = subprocess.run(
            (*self.kubectl, *words), input=stdin, capture_output=True, text=True, timeout=_TIMEOUT_S
        )
        if done.returncode:
            raise CommandError(
                f"`kubectl {words[0]}` of the certificate's secret failed: {done.stderr.strip()}"
            )
        return done.stdout


def copy_of(environment: Mapping[str, str]) -> Copy:
    kubeconfig = environment["KUBECONFIG_PATH"]
    return Copy(
        kubectl=(
            *("kubectl", "--context", environment["CONTEXT"]),
            *(("--kubeconfig", kubeconfig) if kubeconfig else ()),
        ),
        source=environment["SOURCE"],
        source_namespace=environment["SOURCE_NAMESPACE"],
        target=environment["TARGET"],
        target_namespace=environment["TARGET_NAMESPACE"],
    )


def main(verb: str) -> int:
    copy = copy_of(os.environ)
    try:
        if verb == "create":
            copy.create()
        else:
            copy.delete()
    except (CommandError, OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
