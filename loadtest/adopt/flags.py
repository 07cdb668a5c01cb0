"""What `init` wants to know, as questions and as flags."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Question:
    words: str
    pattern: str
    rule: str


QUESTIONS: Mapping[str, Question] = {
    "app": Question(
        words="the service's name", pattern=r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?", rule="a lower-case name"
    ),
    "image": Question(words="its image", pattern=r"[\w.:/@-]+", rule="an image's name"),
    "port": Question(words="the port it listens on", pattern=r"[1-9][0-9]{0,4}", rule="a port"),
    "host": Question(
        words="the host it answers for", pattern=r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", rule="a host's name"
    ),
    "expected_body": Question(
        words="what it answers at /, word for word", pattern=r"[^\x00-\x1f]+", rule="one line of text"
    ),
    "source": Question(
        words="loadproof's repository on GitHub", pattern=r"[\w.-]+/[\w.-]+", rule="owner/name"
    ),
    "commit": Question(words="the commit of it to run", pattern=r"[0-9a-f]{40}", rule="40 hex digits"),
    "branch": Question(
        words="the branch that pull requests go to", pattern=r"[\w.-]+(/[\w.-]+)*", rule="a branch's name"
    ),
}
_FOUND = {
    "source": " [found in this clone]",
    "commit": " [found in this clone]",
    "branch": " [the other repository's default branch where its clone knows it, else main]",
}


def init_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--into", type=Path, required=True, metavar="DIR", help="the other repository's folder"
    )
    for name, question in QUESTIONS.items():
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(
            flag, metavar=question.rule.split()[-1].upper(), help=question.words + _FOUND.get(name, "")
        )
    parser.add_argument(
        "--build", metavar="DIR", help="where its Dockerfile is [the image comes from a registry]"
    )
    parser.add_argument("--force", action="store_true", help="write files anew that are there already")
