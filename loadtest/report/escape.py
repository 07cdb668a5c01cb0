"""Outside text made fit for GitHub's Markdown: it shows as it is and does nothing.

Outside text is all that this project did not write itself: image names, pod logs, error messages, stack
names. It can make no markup, no HTML, no link, no mention, no reference, no hidden marker, and no page of its
own length. Leaves out HTML and SVG, whose libraries escape: for them `plain` makes the text fit to be read.
"""

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import quote

INLINE_LIMIT_CHARS = 300
_BLOCK_LINE_LIMIT_CHARS = 500
_BLOCK_LIMIT_BYTES = 20_000
_READ_AT_MOST = 4  # times the limit, so that a line of megabytes costs no more than a long one
_ZERO_WIDTH_SPACE = "&#8203;"

_TERMINAL_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
# A character reference is never markup, so whatever could be markup becomes one. `_`, `-` and `:` stay where
# they cannot be: within a word, before a space. That keeps metric and image names readable in the source.
_MARKUP = re.compile(
    r"[!#$&*+<=>@\[\\\]^`{|}~]|:(?! |$)|(?<![A-Za-z0-9])[_-]|[_-](?![A-Za-z0-9])|(?<=[wW]{3})\."
)
_ISSUE = re.compile(r"(?i)\bgh-(?=\d)")  # GitHub takes GH-12 for #12
_LIST_NUMBER = re.compile(r"^(\d+)([.)])")
_PLAIN_CODE = re.compile(r"[A-Za-z0-9 ._:/=,+@()%-]+")
_WEB_ADDRESS = re.compile(r"https?://[^\s]+")


def plain(text: str, limit_chars: int = INLINE_LIMIT_CHARS) -> str:
    """The text on one line, nothing in it escaped."""
    return _line(text, limit_chars)


def inline(text: str, limit_chars: int = INLINE_LIMIT_CHARS) -> str:
    """The text on one line, as prose."""
    line = _ISSUE.sub(rf"\g<0>{_ZERO_WIDTH_SPACE}", _MARKUP.sub(_markup, _line(text, limit_chars)))
    return _LIST_NUMBER.sub(lambda found: found[1] + _reference(found[2]), line)


def code(text: str, limit_chars: int = INLINE_LIMIT_CHARS) -> str:
    """The text on one line, in the type of code: for names a reader may want to copy."""
    line = _line(text, limit_chars)
    if not line:
        return "(empty)"
    return f"`{line}`" if _PLAIN_CODE.fullmatch(line) else f"<code>{inline(line, limit_chars)}</code>"


def block(lines: Sequence[str]) -> str:
    """The last of these lines as a block of code; those left out at the front are counted."""
    shown = _last_that_fit(lines)
    if left_out := len(lines) - len(shown):
        shown = [f"… {left_out:,} earlier lines are left out", *shown]
    longest_fence = max((len(found) for line in shown for found in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest_fence + 1)
    return "\n".join((f"{fence}text", *shown, fence))


def link(text: str, address: str) -> str:
    """`text` (ours) leading to `address` (outside); an address not of the web is shown, not linked."""
    if not _WEB_ADDRESS.fullmatch(address):
        return f"{text}: {code(address)}"
    return f"[{text}]({quote(address, safe=':/?=&%#-._~')})"


def _printable(text: str) -> str:
    """The text without terminal sequences; control and format characters are made visible."""
    return "".join(_printable_character(one) for one in _TERMINAL_SEQUENCE.sub("", text))


def _printable_character(character: str) -> str:
    if character in "\n\r\t\v\f\u2028\u2029":
        return " "
    return "\ufffd" if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} else character


def _line(text: str, limit_chars: int) -> str:
    return _capped(" ".join(_read(text, limit_chars).split()), text, limit_chars)


def _read(text: str, limit_chars: int) -> str:
    """As much as may be shown of a text, however long: one that is mostly invisible may lose its end."""
    return _printable(text[: _READ_AT_MOST * limit_chars])


def _capped(shown: str, text: str, limit_chars: int) -> str:
    whole = len(shown) <= limit_chars and len(text) <= _READ_AT_MOST * limit_chars
    return shown if whole else shown[: limit_chars - 1] + "…"


def _reference(character: str) -> str:
    return f"&#{ord(character)};"


def _markup(found: re.Match[str]) -> str:
    # GitHub looks for @name and #number in rendered text, where a reference is its character again.
    return _reference(found[0]) + (_ZERO_WIDTH_SPACE if found[0] in "@#" else "")


def _last_that_fit(lines: Sequence[str]) -> list[str]:
    fitting: list[str] = []
    size_bytes = 0
    for text in reversed(lines):
        line = _capped(_read(text, _BLOCK_LINE_LIMIT_CHARS).rstrip(), text, _BLOCK_LINE_LIMIT_CHARS)
        size_bytes += len(line.encode()) + 1
        if size_bytes > _BLOCK_LIMIT_BYTES:
            break
        fitting.append(line)
    return fitting[::-1]
