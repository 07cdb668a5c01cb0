"""Taking secrets out of text that came from elsewhere before it is kept: pure, by the shapes secrets have.

A net under those who write logs, not a promise: a password without any of these shapes is not recognised.
"""

import re

_MASK = "[removed]"
_SHAPES = (
    re.compile(r"(?<=://)[^/\s:@\"']+:[^/\s@\"']+(?=@)"),  # user:password@ in an address
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]{8,}"),
    re.compile(r"(?i)(?<=basic )[a-z0-9+/=]{8,}"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?<=client-key-data: )\S+"),
    re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"),  # a signed token, as service accounts have
    re.compile(r"\b(?:gh[pousr]_|github_pat_)\w{20,}"),
    re.compile(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b"),  # kubeadm's bootstrap token
    re.compile(r"""(?ix)(?<![\w-]) [\w-]*(?:password|passwd|secret|token|api[_-]?key) ["']? \s*[=:]\s* ["']?
                   \K""".replace(r"\K", r"(?P<value>[^\s"'&,;]{6,})")),
)


def redacted(text: str) -> str:
    for shape in _SHAPES:
        text = shape.sub(_masked, text)
    return text


def _masked(match: re.Match[str]) -> str:
    value = match.groupdict().get("value")
    return match[0][: -len(value)] + _MASK if value else _MASK
