"""The command line of set-up: the only module of the package that prints, and that decides exit codes."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from toolchain import engine, housekeeping, kept_images
from toolchain.cache import Cache
from toolchain.catalogue import Catalogue
from toolchain.errors import Interrupted, ToolchainError, WrongUseError
from toolchain.pins import Purpose, load_pins, this_platform
from toolchain.python_env import PythonEnv
from toolchain.recipes import RECIPES
from toolchain.setup import Setup
from toolchain.sources import Way
from toolchain.sources.images import image_ids

PROJECT = Path(__file__).resolve().parent.parent

_STACK = "ci"

_EXAMPLES = """\
examples:
  python3 -m toolchain setup                    everything a run of stack ci needs
  python3 -m toolchain setup --stack traefik    everything a run of stack traefik needs
  python3 -m toolchain setup --for test         everything the tests need
  python3 -m toolchain get k6                   this part besides
  python3 -m toolchain setup --from build       build every part from the package registries
  eval "$(python3 -m toolchain env)"            the tools and their settings in this shell
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    options = _parser().parse_args(arguments)
    try:
        _VERBS[options.verb](options)
    except ToolchainError as error:
        print(f"error: {error.message}\n{_indented(error.hint)}", file=sys.stderr)
        return error.exit_code
    except (KeyboardInterrupt, Interrupted):
        print("\nstopped; what is finished is kept, and the same command goes on from there", file=sys.stderr)
        return Interrupted.exit_code
    except OSError as error:
        print(
            f"error: {error}\n{_indented('check the permissions and the space of that folder')}",
            file=sys.stderr,
        )
        return ToolchainError.exit_code
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _indented(hint: str) -> str:
    return "\n".join(f"  {line}" for line in hint.splitlines())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m toolchain",
        description="Gets every tool and image the project needs: found, downloaded and verified, or built.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, words in {
        "setup": "bring everything there that a stack needs",
        "status": "list the parts: version, how each was got, where it is",
        "env": "print the settings for a shell; in a GitHub workflow, hand them to the steps that follow",
        "images": "keep the images in the cache as a file, or give them back to the container engine",
    }.items():
        verb = verbs.add_parser(name, help=words, description=words)
        if name == "images":
            verb.add_argument("action", choices=("save", "load"))
        verb.add_argument(
            "--for",
            dest="purpose",
            type=Purpose,
            choices=list(Purpose),
            default=Purpose.RUN,
            help="what the tools are for (default: %(default)s)",
        )
        if name != "env":
            verb.add_argument(
                "--stack", default=_STACK, help="the stack whose needs count (default: %(default)s)"
            )
        if name == "setup":
            _add_way(verb)
    words = "bring single parts there that nothing else asks for"
    get = verbs.add_parser("get", help=words, description=words)
    get.add_argument("extra", nargs="+", metavar="PART", help="its name in toolchain/pins.toml")
    get.set_defaults(purpose=Purpose.RUN)
    _add_way(get)
    words = "remove what no pin asks for any more from the cache"
    clean = verbs.add_parser("clean", help=words, description=words)
    clean.add_argument("--all", action="store_true", help="remove the whole cache")
    clean.add_argument("--dry-run", action="store_true", help="only say what would go, and how much it is")
    words = "start, stop or show the container engine that set-up manages"
    verbs.add_parser("engine", help=words, description=words).add_argument(
        "action", choices=("start", "stop", "status")
    )
    return parser


def _add_way(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--from",
        dest="way",
        type=Way,
        choices=list(Way),
        help="accept this way only (default: each in this order)",
    )


def _setup(options: argparse.Namespace) -> None:
    _setup_for(options, os.environ).run(sys.stdout)


def _get(options: argparse.Namespace) -> None:
    setup = _setup_for(options, os.environ)
    if unknown := [name for name in options.extra if name not in setup.catalogue.parts]:
        raise WrongUseError(
            f"there is no part {', '.join(unknown)}",
            hint="`python3 -m toolchain status` lists the parts",
        )
    forgone = setup.run(sys.stdout)
    if missing := [name for name in options.extra if name in forgone]:
        raise ToolchainError(f"{', '.join(missing)} cannot be had here", hint="the reason stands above")


def _status(options: argparse.Namespace) -> None:
    setup = _setup_for(options, os.environ)
    for line in housekeeping.status_lines(setup.catalogue, setup.cache):
        print(line)
    print(f"cache: {setup.cache.root}\nready for {setup.purpose}: {'yes' if setup.is_done() else 'no'}")


def _env(options: argparse.Namespace) -> None:
    setup = _setup_for(options, os.environ)
    # What is set already needs no handing over, and may be a secret that does not belong on a screen.
    defaults = setup.pulumi_home().defaults()
    settings = {name: value for name, value in defaults.items() if name not in os.environ}
    commands = str(setup.project / ".venv" / "bin")
    if "GITHUB_ENV" in os.environ and "GITHUB_PATH" in os.environ:
        _append(Path(os.environ["GITHUB_PATH"]), [commands])
        _append(Path(os.environ["GITHUB_ENV"]), [f"{name}={value}" for name, value in settings.items()])
        return
    for name, value in settings.items():
        print(f"export {name}={shlex.quote(value)}")
    print(f"export PATH={shlex.quote(commands)}:$PATH")


def _images(options: argparse.Namespace) -> None:
    setup = _setup_for(options, os.environ)
    if options.action == "load":
        print(kept_images.load(setup.cache))
        return
    there = image_ids(setup.images) or {}
    print(kept_images.save(setup.cache, [reference for reference in setup.images if reference in there]))


def _clean(options: argparse.Namespace) -> None:
    cache = Cache.of(os.environ)

    def doomed() -> tuple[Path, ...]:
        if options.all:
            return housekeeping.everything(cache)
        packages = PythonEnv(project=PROJECT, purpose=Purpose.RUN, cache=cache).packages()
        return housekeeping.unused(Catalogue.of(load_pins(), RECIPES), cache, packages)

    for line in housekeeping.clean(cache, doomed, dry_run=options.dry_run, say=print):
        print(line)


def _engine(options: argparse.Namespace) -> None:
    cache = Cache.of(os.environ)
    if options.action == "start":
        engine.ensure_engine(cache=cache, say=print)
    elif options.action == "stop":
        engine.stop(cache=cache, say=print)
    status = engine.status(cache=cache)
    started = f", started by set-up (process {status.started_pid})" if status.started_pid else ""
    print(f"container engine: {status.version or 'does not answer'}{started}")


def _setup_for(options: argparse.Namespace, environment: Mapping[str, str]) -> Setup:
    return Setup(
        project=PROJECT,
        cache=Cache.of(environment),
        catalogue=Catalogue.of(load_pins(), RECIPES),
        platform=this_platform(),
        purpose=options.purpose,
        stack=getattr(options, "stack", None),
        extra=tuple(getattr(options, "extra", ())),
        forced=getattr(options, "way", None),
        environment=environment,
    )


def _append(file: Path, lines: Sequence[str]) -> None:
    with file.open("a", encoding="utf-8") as sink:
        sink.writelines(f"{line}\n" for line in lines)


_VERBS = {
    "setup": _setup,
    "get": _get,
    "status": _status,
    "env": _env,
    "images": _images,
    "clean": _clean,
    "engine": _engine,
}
