"""Taking secrets out of text that came from elsewhere before it is kept: pure, by the shapes secrets have.

A net under those who write logs, not a promise: a password without any of these shapes is not recognised.
"""

import re

_REMOVED = "[removed]"
_SHAPES = (
    re.compile(r"://(?P<secret>[^/\s:@\"']+:[^/\s@\"']+)@"),  # user and password in an address
    re.compile(r"(?i)\b(?:bearer|basic) (?P<secret>[\w.~+/=-]{8,})"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<secret>.*?)(?:-----END|\Z)", re.DOTALL),
    re.compile(r"client-key-data: (?P<secret>\S+)"),
    re.compile(
        r"\b(?P<secret>eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*)"
    ),  # a signed token, as service accounts have
    re.compile(r"\b(?P<secret>(?:gh[pousr]_|github_pat_)\w{20,})"),
    re.compile(r"\b(?P<secret>[a-z0-9]{6}\.[a-z0-9]{16})\b"),  # kubeadm's bootstrap token
    re.compile(
        r"(?i)(?:password|passwd|secret|token|api[_-]?key)[\"']?\s*[=:]\s*[\"']?(?P<secret>[^\s\"'&,;]{6,})"
    ),
)


def redacted(text: str) -> str:
    for shape in _SHAPES:
        text = shape.sub(_without_secret, text)
    return text


def _without_secret(match: re.Match[str]) -> str:
    start, end = match.start("secret") - match.start(), match.end("secret") - match.start()
    return match[0][:start] + _REMOVED + match[0][end:]
