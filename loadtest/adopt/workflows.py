"""This project's own workflows, made into those of another repository by exchanging a few of their steps.

So there is one text of each, which this project's own pull requests go through. Each job checks out this
project at a fixed commit and, where it deploys, the service into a folder of it. `ci.yml` stays at home.
"""

import json
import re
from pathlib import Path

from loadtest.adopt.model import Adoption

NAMES = ("loadtest.yml", "loadtest-comment.yml", "loadtest-command.yml", "loadtest-nightly.yml")
_SERVICE = "service"
"""The folder in which a job has the service."""
_OWN_CHECK_OUT = "Check out"
_FIRST_OF_DEPLOYING = "Restore tools and images"
_LAST_OF_SET_UP = "Keep tools and images"
_OWN_TEST = "Test"

_HEADER = """\
# Written by `python -m loadtest init`, with loadproof at {commit}.
"""
_CHECK_OUT = """\
      - name: Check out loadproof
        uses: {action}
        with:
          repository: {source}
          ref: {commit}
          persist-credentials: false
"""
_TAKE_SERVICE = """\
      - name: Check out the service
        uses: {action}
        with:
          path: {service}
          persist-credentials: false

      - name: Take the service's stack
        run: make adopt FROM={service}/{folder}

"""
_BUILD = """
      - name: Build the image
        run: docker build --tag "$IMAGE" "$CONTEXT"
        timeout-minutes: 20
        env:
          IMAGE: {image}
          CONTEXT: {context}
"""


def render(project: Path, adoption: Adoption, *, folder: str) -> dict[str, str]:
    """The text of each workflow, by its file's name."""
    own = project / ".github" / "workflows"
    return {name: _render((own / name).read_text(encoding="utf-8"), adoption, folder) for name in NAMES}


def _render(text: str, adoption: Adoption, folder: str) -> str:
    check_out, take_service, build = (
        template.format(
            action=_action_of_check_out(text),
            source=adoption.source,
            commit=adoption.commit,
            service=_SERVICE,
            folder=folder,
            image=_quoted(adoption.image),
            context=_quoted(f"{_SERVICE}/{adoption.build}"),
        )
        for template in (_CHECK_OUT, _TAKE_SERVICE, _BUILD)
    )
    text = re.sub(r"(?m)^  STACK: ci$", lambda _: f"  STACK: {_quoted(adoption.stack)}", text)
    text = re.sub(r"(?m)^( +run: make scan)$", rf"\1 REPOSITORY={_SERVICE}", text)
    # Else what a scan found would be published for this project's commit, which the other repository has not.
    published = rf"\g<0>\n\1checkout_path: ${{{{ github.workspace }}}}/{_SERVICE}"
    text = re.sub(r"(?m)^( +)sarif_file: .+$", published, text)
    text = re.sub(
        r"(?m)^    branches: \[main\]$", lambda _: f"    branches: [{_quoted(adoption.branch)}]", text
    )
    text = re.sub(_step(_OWN_CHECK_OUT), lambda _: check_out, text)
    text = re.sub(_step(_OWN_TEST) + r"\n", "", text)
    text = re.sub(_step(_FIRST_OF_DEPLOYING), lambda found: take_service + found[0], text)
    if adoption.build is not None:
        text = re.sub(_step(_LAST_OF_SET_UP), lambda found: found[0] + build, text)
    return _HEADER.format(commit=adoption.commit) + text


def _step(name: str) -> str:
    """A pattern of a step: its lines down to the first empty one."""
    return rf"(?m)^      - name: {re.escape(name)}\n(?:.+\n)+"


def _action_of_check_out(text: str) -> str:
    return str(re.findall(r"(?m)uses: (actions/checkout@.*)$", text)[0])


def _quoted(text: str) -> str:
    """JSON's strings are YAML's as well."""
    return json.dumps(text, ensure_ascii=False)
