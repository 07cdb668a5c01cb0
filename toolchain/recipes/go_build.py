"""Builds a Go program from its modules, as a wrapper module in toolchain/go pins them.

A wrapper holds go.mod and go.sum, and a main package where upstream's own does not serve. Which part is made
of what stands in `go_parts`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.recipes.images import GO_WRAPPERS, go_module, put
from toolchain.sources.build import BuildContext

OWN_PACKAGE = "."
_LEAST_HEAP_LIMIT_BYTES = 2 << 30


@dataclass(frozen=True, kw_only=True)
class GoPart:
    """What a part is made of: programs to compile, files of Go modules, files of other parts."""

    programs: Mapping[str, str] = field(default_factory=dict)
    """Package of each program, by the program's name; all of them in one build."""
    stamps: Mapping[str, str] = field(default_factory=dict)
    """Values of string variables, by symbol; placeholders {version}, {major}, {minor}."""
    prepare: Callable[[BuildContext, Path], None] | None = None
    """Puts into the copy of the wrapper what its main package embeds."""
    tags: str | None = None
    """Build tags: what is left out."""
    unoptimised: str | None = None
    """A pattern of packages that take long to compile and hardly any time to run."""
    wrapper: str | None = None
    """The folder in toolchain/go, where it is not the part's own name."""
    of_modules: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Module and path in it, by the path in the part."""
    of_parts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Part and path in it, by the path in this part."""


def build(context: BuildContext, part: GoPart) -> None:
    """Fill the part's folder as its row of the table says."""
    wrapper = part.wrapper or context.part.name
    if part.programs:
        _compile(context, part, wrapper)
    for target, (module, path) in part.of_modules.items():
        _copy(go_module(context, wrapper, module) / path, context.out / target)
    for target, (name, path) in part.of_parts.items():
        put(context.dependency(name) / path, context.out / target)


def _compile(context: BuildContext, part: GoPart, wrapper: str) -> None:
    # A copy, as what the main package embeds is no part of the project; -trimpath keeps its place a secret.
    sources = context.work / "wrapper"
    shutil.copytree(GO_WRAPPERS / wrapper, sources)
    if part.prepare:
        part.prepare(context, sources)
    context.say(f"compiling {', '.join(part.programs)}")
    go = str(context.dependency("go") / "bin" / "go")
    binaries = context.out / "bin"
    arguments = go_build_arguments(part, context.part.version)
    context.run(
        go, *arguments, "-o", f"{binaries}/", *part.programs.values(), cwd=sources, env=_environment(context)
    )
    for name, package in part.programs.items():
        (binaries / _default_name(package, wrapper)).rename(binaries / name)


def go_build_arguments(part: GoPart, version: str) -> tuple[str, ...]:
    """How `go` is called, but for the packages: neither the machine nor debug data shows in the result."""
    major, minor, _ = version.split(".", 2)
    stamps = " ".join(
        f"-X {symbol}={value.format(version=version, major=major, minor=minor)}"
        for symbol, value in part.stamps.items()
    )
    tags = ("-tags", part.tags) if part.tags else ()
    slow = (f"-gcflags={part.unoptimised}=-N -l -dwarf=false",) if part.unoptimised else ()
    # No profile-guided optimisation: it would compile all libraries once more for each program that has one.
    return (
        *("build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-pgo=off", *tags),
        *("-gcflags=all=-dwarf=false", *slow),
        f"-ldflags=-s -w -buildid= {stamps}".rstrip(),
    )


def _environment(context: BuildContext) -> Mapping[str, str]:
    """A cache of the project's own, so that an empty one is a cold start; mirrors are the machine's."""
    return {
        "CGO_ENABLED": "0",
        "GOCACHE": str(context.cache.go_build),
        "GOFLAGS": "",
        "GOMODCACHE": str(context.cache.go_mod),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        # A compiler lives for seconds: collecting its garbage costs a third of them and frees little.
        "GOGC": "off",
        "GOMEMLIMIT": str(heap_limit_bytes(_memory_bytes(), os.cpu_count() or 1)),
    }


def heap_limit_bytes(memory_bytes: int, cpus: int) -> int:
    """How far each of the compilers that run side by side may grow before it collects garbage after all."""
    return max(_LEAST_HEAP_LIMIT_BYTES, memory_bytes // 2 // cpus)


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _default_name(package: str, wrapper: str) -> str:
    """What `go build` calls a program: the last step of its package's path that is no major version."""
    steps = [wrapper] if package == OWN_PACKAGE else package.split("/")
    is_major_version = steps[-1][:1] == "v" and steps[-1][1:].isdigit()
    return steps[-2] if is_major_version else steps[-1]


def _copy(source: Path, target: Path) -> None:
    """A file or folder of the module cache, which is read-only and keeps no modes."""
    files = [file for file in source.rglob("*") if file.is_file()] if source.is_dir() else [source]
    for file in files:
        copy = target / file.relative_to(source) if source.is_dir() else target
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        copy.chmod(0o755 if copy.parent.name == "bin" else 0o644)
