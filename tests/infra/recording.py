"""Runs a Pulumi program without an engine and records every registration as the engine would get it."""

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockEngine, MockMonitor, MockResourceArgs, Mocks, MockSettings
from pulumi.runtime.settings import configure, set_root_resource
from pulumi.runtime.stack import run_in_stack

KUBECONFIG = "apiVersion: v1\nkind: Config\n"
MADE = '{"kubernetes": "1.34.4", "nodes": ["1f0e", "2a9c"]}'
_STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True, kw_only=True)
class Registration:
    """One resource as it was registered; `secrets` are its inputs that were marked as such."""

    type: str
    name: str
    custom: bool
    parent: str
    provider: str
    deleted_with: str
    depends_on: frozenset[str]
    delete_before_replace: bool
    replace_on_changes: frozenset[str]
    secret_outputs: frozenset[str]
    secrets: frozenset[str]
    inputs: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """`outputs` are those of components, by `type name`."""

    resources: tuple[Registration, ...]
    outputs: Mapping[str, Mapping[str, Any]]
    exports: Mapping[str, Any]
    secret_exports: frozenset[str]

    def one(self, type_: str, name: str) -> Registration:
        (found,) = [one for one in self.resources if (one.type, one.name) == (type_, name)]
        return found


class _Outputs(Mocks):
    """What the few resources whose outputs are read give; unknown while it is a preview."""

    def __init__(self, *, preview: bool) -> None:
        self._preview = preview

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if self._preview:
            return "", dict(args.inputs)
        stdout = {
            "cluster": MADE,
            "cluster-kubeconfig": KUBECONFIG,
            "cluster-images": "",
            "certificate": "",
        }
        computed = {"stdout": stdout[args.name]} if args.typ == "command:local:Command" else {}
        return f"{args.name}-id", {**args.inputs, **computed}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"{args.token}: the program asks a provider for nothing")


class _Monitor(MockMonitor):
    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.seen: list[Registration] = []
        self.outputs: dict[str, Mapping[str, Any]] = {}
        self.exports: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:
        # The runtime calls this in threads of its own and leaves a loop unclosed in each that has none.
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            if request.type != _STACK:
                self.seen.append(_registration(request))
            return super().RegisterResource(request)  # type: ignore[no-untyped-call]
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    def RegisterResourceOutputs(self, request: Any) -> Any:
        outputs = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        if request.urn.split("::")[2] == _STACK:
            self.exports = outputs
        else:
            self.outputs[_type_and_name(request.urn)] = outputs
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


def _registration(request: Any) -> Registration:
    inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
    return Registration(
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=_type_and_name(request.parent),
        provider=request.provider,
        deleted_with=_type_and_name(request.deletedWith),
        depends_on=frozenset(_type_and_name(urn) for urn in request.dependencies),
        delete_before_replace=request.deleteBeforeReplace,
        replace_on_changes=frozenset(request.replaceOnChanges),
        secret_outputs=frozenset(request.additionalSecretOutputs),
        secrets=frozenset(key for key, value in inputs.items() if rpc.is_rpc_secret(value)),
        inputs={key: rpc.unwrap_rpc_secret(value) for key, value in inputs.items()},
    )


def _type_and_name(urn: str) -> str:
    """`type name` of a URN, without the types of its parents; "" where there is none."""
    if not urn:
        return ""
    _, _, types, name = urn.removeprefix("urn:pulumi:").split("::")
    return f"{types.rpartition('$')[2]} {name}"


def record(program: Callable[[], object], *, preview: bool = False) -> Recording:
    """All that `program` registers and exports, once every registration is through."""
    return contextvars.Context().run(_record, program, preview)


def _record(program: Callable[[], object], preview: bool) -> Recording:
    monitor = _Monitor(_Outputs(preview=preview))
    features = set(monitor.GetDeploymentInfo(None).supportedFeatures)  # type: ignore[no-untyped-call]
    # run_in_stack makes the stack's own resource and refuses a second one.
    set_root_resource(None)  # type: ignore[arg-type]
    configure(
        MockSettings(  # type: ignore[no-untyped-call]
            monitor=monitor,
            monitor_features=features,
            engine=MockEngine(None),
            project="loadproof",
            stack="test",
            dry_run=preview,
            organization=None,
        )
    )
    asyncio.run(run_in_stack(lambda: _call(program)))
    return Recording(
        resources=tuple(monitor.seen),
        outputs=monitor.outputs,
        exports={name: rpc.unwrap_rpc_secret(value) for name, value in monitor.exports.items()},
        secret_exports=frozenset(name for name, value in monitor.exports.items() if rpc.is_rpc_secret(value)),
    )


def _call(program: Callable[[], object]) -> None:
    program()
