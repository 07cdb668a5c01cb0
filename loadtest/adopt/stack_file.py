"""The stack file of a service: one app, everything else as Pulumi.yaml has it by default."""

from pathlib import Path

import yaml

from loadtest.adopt.model import Adoption

_HEADER = """\
# What a pull request is tested with. Every setting is explained in Pulumi.yaml of https://github.com/{source}.
# What is promised stands under `loadproof:slo`; without one every answer has to be right.
# `encryptionsalt` belongs to a passphrase that everybody knows: put no secret in here.
"""
_SALTED = "Pulumi.ci.yaml"


def render(project: Path, adoption: Adoption) -> str:
    app = {
        "name": adoption.app,
        "host": adoption.host,
        "image": adoption.image,
        "port": adoption.port,
        "expected_body": adoption.expected_body,
        "replicas": 2,
    }
    document = {
        "encryptionsalt": yaml.safe_load((project / _SALTED).read_text(encoding="utf-8"))["encryptionsalt"],
        "config": {"loadproof:apps": [app]},
    }
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1000)
    return _HEADER.format(source=adoption.source) + text
