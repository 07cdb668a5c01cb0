"""The Pulumi program: the stack that the configuration describes, and what it exports."""

from infra.outputs import export
from infra.settings import load
from infra.stack import build

export(build(load()))
