"""The forms that names, images and ports of a configuration have to have, each with the words that say so."""

import re

from infra.reading import Section

LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
NAME = re.compile(f"(?=.{{1,40}}$){LABEL}")
NAME_RULE = "at most 40 lower-case letters, digits and inner hyphens"

PREFIX = re.compile("([a-z]([-a-z0-9]{0,18}[a-z0-9])?-)?")
PREFIX_RULE = (
    "empty or up to 21 lower-case letters, digits and hyphens, the first a letter and one hyphen last, "
    "such as pr-123-"
)

_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_TAG, _DIGEST = r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", r"@sha256:[0-9a-f]{64}"
IMAGE = re.compile(rf"({_PART}:[0-9]{{1,5}}/)?{_PART}(/{_PART})*({_TAG}|({_TAG})?{_DIGEST})")
IMAGE_RULE = "an image with a tag or digest, such as hashicorp/http-echo:1.0.0"


def host_port(section: Section, key: str) -> int:
    """A port of the machine."""
    return section.integer(key, at_least=1, at_most=65_535)
