"""The command line's flags of a load: what they are called, and what they override.

Leaves out which of them go together: that is judged with the stack's own settings in place.
"""

import argparse
from dataclasses import fields
from pathlib import Path

from loadtest.engines import ENGINES
from loadtest.errors import UsageError
from loadtest.load_options import Flags, LoadOptions
from loadtest.plan import PROFILES, Arrivals, Stage

_LOCUST_WEB_PORT = 8089


def add_flags(parser: argparse.ArgumentParser) -> None:
    default = LoadOptions()
    flags = parser.add_argument_group("load", "each overrides the stack's config, whose default is shown")
    flags.add_argument("--engine", choices=ENGINES, help=f"what sends it [{default.engine}]")
    flags.add_argument("--profile", choices=PROFILES, help=f"its shape [{default.profile}]")
    _add_number(flags, "--timeout", "timeout_s", float, "for a whole request")
    _add_number(flags, "--warm-up-retries", "warm_up_retries", int, "how often a host's warm-up may fail")
    _add_number(flags, "--seed", "seed", int, "same seed, same order of hosts")

    flags = parser.add_argument_group("profile closed")
    _add_number(flags, "--requests", "requests", int, "in all")
    _add_number(flags, "--concurrency", "concurrency", int, "clients at once")

    flags = parser.add_argument_group("profiles constant_rate, ramping_rate and users")
    _add_number(flags, "--rate", "rate_rps", float, "requests a second; of a ramp, to begin with")
    _add_number(flags, "--duration", "duration_s", float, "seconds, of a constant rate and of users")
    flags.add_argument(
        "--stage",
        dest="stages",
        type=_stage,
        action="append",
        metavar="RATE:SECONDS",
        help="of a ramp: within so many seconds to this rate, at once with 0; may be repeated",
    )
    _add_open_loop_flags(flags)
    _add_number(flags, "--users", "users", int, "at most")
    _add_number(flags, "--spawn-rate", "spawn_rate_per_s", float, "users that come in a second")
    _add_number(flags, "--wait-min", "wait_min_s", float, "seconds between two requests of a user, at least")
    _add_number(flags, "--wait-max", "wait_max_s", float, "and at most")
    _add_script_flags(parser)


def _add_open_loop_flags(flags: "argparse._ArgumentGroup") -> None:
    default = LoadOptions()
    flags.add_argument(
        "--arrivals",
        type=Arrivals,
        choices=list(Arrivals),
        help=f"how requests lie within the rate [{default.arrivals}]",
    )
    _add_number(flags, "--max-connections", "max_connections", int, "under way at once; 0: by the rate")
    _add_number(flags, "--worker-processes", "worker_processes", int, "that share the load (builtin only)")


def _add_script_flags(parser: argparse.ArgumentParser) -> None:
    flags = parser.add_argument_group("profile script, and what the engine locust alone has")
    scripts = flags.add_mutually_exclusive_group()
    scripts.add_argument("--k6-script", type=Path, metavar="FILE", help="your own script, run by k6")
    scripts.add_argument("--locustfile", type=Path, metavar="FILE", help="your own users, run by locust")
    _add_number(
        flags, "--locust-workers", "locust_workers", int, "as pods of the cluster; 0: this machine alone"
    )
    flags.add_argument(
        "--locust-web",
        dest="locust_web_port",
        type=int,
        nargs="?",
        const=_LOCUST_WEB_PORT,
        metavar="PORT",
        help=f"locust's web page on loopback while it runs [none; without PORT {_LOCUST_WEB_PORT}]",
    )


def read_flags(options: argparse.Namespace) -> Flags:
    """What was given, by the names of LoadOptions. Raises UsageError where two flags exclude each other."""
    flags = {one.name: getattr(options, one.name, None) for one in fields(LoadOptions)}
    if flags["stages"] is not None:
        flags["stages"] = tuple(flags["stages"])
    for engine, script in (("k6", "k6_script"), ("locust", "locustfile")):
        file = getattr(options, script, None)
        if file is None:
            continue
        flag = f"--{script.replace('_', '-')}"
        for name, own in (("engine", engine), ("profile", "script")):
            if flags[name] not in (None, own):
                raise UsageError(f"{flag} means --{name} {own}, which --{name} {flags[name]} contradicts")
            flags[name] = own
        flags["script"] = str(file.resolve())
    return flags


def _add_number(
    group: "argparse._ArgumentGroup", flag: str, name: str, kind: type[int] | type[float], purpose: str
) -> None:
    default = getattr(LoadOptions(), name)
    metavar = "S" if flag.startswith(("--duration", "--wait", "--timeout")) else "N"
    group.add_argument(flag, dest=name, type=kind, metavar=metavar, help=f"{purpose} [{default:g}]")


def _stage(text: str) -> Stage:
    rate, _, duration = text.partition(":")
    try:
        return Stage(rate_rps=float(rate), duration_s=float(duration))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no RATE:SECONDS, such as 500:10") from error
