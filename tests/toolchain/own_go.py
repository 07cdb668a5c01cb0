"""The tests that a Go program of the project's own brings along, compiled as set-up compiles the program."""

from __future__ import annotations

import os
import subprocess

from toolchain.cache import Cache
from toolchain.catalogue import Catalogue
from toolchain.pins import load_pins
from toolchain.recipes import RECIPES
from toolchain.recipes.go_build import go_build_arguments
from toolchain.recipes.go_parts import GO_PARTS
from toolchain.recipes.images import GO_WRAPPERS

CACHE, CATALOGUE = Cache.of(os.environ), Catalogue.of(load_pins(), RECIPES)


def assert_passes_its_own_tests(name: str) -> None:
    go = CACHE.folder(CATALOGUE.parts["go"], CATALOGUE.keys["go"]) / "bin" / "go"
    _, *flags = go_build_arguments(GO_PARTS[name], CATALOGUE.parts[name].version)
    tested = subprocess.run(
        [go, "test", *flags, "./..."],
        cwd=GO_WRAPPERS / name,
        env={
            **os.environ,
            "CGO_ENABLED": "0",
            "GOCACHE": str(CACHE.go_build),
            "GOFLAGS": "",
            "GOMODCACHE": str(CACHE.go_mod),
            "GOTOOLCHAIN": "local",
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
