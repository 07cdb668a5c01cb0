"""Markdown's building blocks: tables, lists, sections, and putting sections together within a limit of size.

Leaves out what is said in them; cells and lines come here already escaped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_MOST_ROWS = 50
_MOST_ITEMS = 10


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part that a document may lose where it grows too long; an empty body is not shown at all."""

    title: str
    body: str
    folded: bool = False

    def __str__(self) -> str:
        if self.folded:
            return f"<details><summary>{self.title}</summary>\n\n{self.body}\n\n</details>"
        return f"### {self.title}\n\n{self.body}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column is of names, the others are of figures; rows beyond the fiftieth are counted."""
    lines = [header, ["---"] + ["--:"] * (len(header) - 1), *rows[:_MOST_ROWS]]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    left_out = len(rows) - _MOST_ROWS
    return f"{text}\n\n{left_out:,} more rows are in report.json." if left_out > 0 else text


def items(lines: Sequence[str]) -> str:
    left_out = len(lines) - _MOST_ITEMS
    shown = [*lines[:_MOST_ITEMS], *([f"and {left_out:,} more, in report.json"] if left_out > 0 else [])]
    return "\n".join(f"- {line}" for line in shown)


def paragraphs(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text)


def document(
    head: str,
    sections: Sequence[Section],
    *,
    limit_bytes: int,
    whole: str = "report.json has it all",
    end: str = "",
) -> str:
    """Head and sections in order, then `end`; a section that would break the limit is left out and named.

    `whole` says where it can be read. Bytes and not characters: they are never fewer, so the limit holds
    whichever the reader counts.
    """
    present = [section for section in sections if section.body]
    fixed = (head, end, _left_out(present, whole))
    free_bytes = limit_bytes - sum(map(_size_bytes, fixed))
    shown, left_out = [head], []
    for section in present:
        text = str(section)
        if _size_bytes(text) <= free_bytes:
            free_bytes -= _size_bytes(text)
            shown.append(text)
        else:
            left_out.append(section)
    return paragraphs(*shown, _left_out(left_out, whole), end) + "\n"


def _left_out(sections: Sequence[Section], whole: str) -> str:
    if not sections:
        return ""
    names = ", ".join(section.title for section in sections)
    return f"_Left out, because this text would be too long: {names}. {whole}._"


def _size_bytes(text: str) -> int:
    return len(text.encode()) + len("\n\n")
