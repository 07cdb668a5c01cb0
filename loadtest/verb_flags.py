"""The flags that single verbs have, beside those of the load (`load_flags`)."""

import argparse
import re
from pathlib import Path

from loadtest import load_flags
from loadtest.job import HEALTH_TIMEOUT_S


def pipeline_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep", action="store_true", help="leave the cluster up and say how to reach it")
    run_flags(parser)


def run_flags(parser: argparse.ArgumentParser) -> None:
    _add_seconds(
        parser, "--health-timeout", HEALTH_TIMEOUT_S, "how long the stack may take to become healthy"
    )
    load_flags.add_flags(parser)


def monitor_flags(parser: argparse.ArgumentParser) -> None:
    _add_seconds(parser, "--duration", 30.0, "how long to measure")
    _add_seconds(parser, "--interval", 2.0, "time between two samples")


def report_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--open", action="store_true", help="open the page in a browser as well")


def compare_flags(parser: argparse.ArgumentParser) -> None:
    for name in ("first", "second"):
        parser.add_argument(
            name, type=Path, metavar=name.upper(), help="a report.json, or the artifacts it is among"
        )
    report_flags(parser)


def _add_seconds(parser: argparse.ArgumentParser, flag: str, default_s: float, purpose: str) -> None:
    parser.add_argument(
        flag,
        dest=flag.strip("-").replace("-", "_") + "_s",
        type=_seconds,
        default=default_s,
        metavar="S",
        help=f"{purpose} (default: %(default)g)",
    )


def scan_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stacks", nargs="+", default=(), metavar="NAME", help="several stacks in the place of --stack"
    )
    parser.add_argument(
        "--repository",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="the repository to look at (default: this one)",
    )


def comment_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from-artifact",
        type=Path,
        metavar="DIR",
        help="post the report out of the archive in this folder, which another workflow run left",
    )
    parser.add_argument(
        "--pull-request",
        type=_pull_request,
        metavar="N",
        help="the pull request's number [the event's]",
    )


def _pull_request(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text):
        raise argparse.ArgumentTypeError(f"{text} is no pull request's number")
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 86400")
    return seconds
