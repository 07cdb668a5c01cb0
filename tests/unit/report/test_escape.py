"""Outside text shows as it is and does nothing: a Markdown parser says so, of hostile and of random text."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from loadtest.report import escape

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = (
    "</details><script>alert(1)</script>",
    "![x](https://evil.example/pixel.png)",
    "[click](javascript:alert(1))",
    "<!-- loadproof:ci -->",
    "a | b | c",
    "`code` ``more`` ```",
    "# heading",
    "1. item",
    "12) item",
    "- item",
    "> quote",
    "*bold* __bold__ _it_ ~~gone~~",
    "https://evil.example www.evil.example WWW.evil.example",
    "back\\slash \\| pipe",
    "&lt;b&gt; &amp; &#42;",
    "line\nbreak\n\n# heading\n\n    code",
    "***",
    "$x$ :tada:",
)
ANY_TEXT = st.one_of(st.text(max_size=400), st.text(alphabet="`|\\<>*_-#@!&[]():.1 \nwa~=+$", max_size=120))


def blocks_of(markdown: str) -> list[str]:
    return [token.type for token in MARKDOWN.parse(markdown)]


def inline_tokens(markdown: str) -> list[Token]:
    return next((token.children or [] for token in MARKDOWN.parse(markdown) if token.type == "inline"), [])


def plain(text: str) -> str:
    """What is meant to be read of a text: one line, nothing that cannot be seen."""
    without_terminal = re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)", "", text)
    return " ".join(
        "".join(
            " "
            if one in "\n\r\t\v\f\u2028\u2029"
            else "\ufffd"
            if unicodedata.category(one)[0] == "C"
            else one
            for one in without_terminal
        ).split()
    )


def read(tokens: list[Token]) -> str:
    return "".join(token.content for token in tokens).replace("\u200b", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_prose_and_nothing_else(text: str) -> None:
    markdown = escape.inline(text)
    assert blocks_of(markdown) == ["paragraph_open", "inline", "paragraph_close"]
    assert {token.type for token in inline_tokens(markdown)} <= {"text", "text_special"}
    assert read(inline_tokens(markdown)) == plain(text)


@given(ANY_TEXT)
def test_any_text_as_prose_reads_as_it_is(text: str) -> None:
    tokens = inline_tokens(escape.inline(text, limit_chars=1_000))
    assert {token.type for token in tokens} <= {"text", "text_special"}
    assert read(tokens) == plain(text)


@given(ANY_TEXT)
def test_any_text_stays_in_its_table_cell(text: str) -> None:
    markdown = f"| a | b |\n| --- | --- |\n| {escape.inline(text)} | {escape.code(text)} |\n"
    cells = [token for token in MARKDOWN.parse(markdown) if token.type == "td_open"]
    assert len(cells) == 2
    assert len(blocks_of(markdown)) == len(blocks_of("| a | b |\n| --- | --- |\n| c | d |\n"))


@given(ANY_TEXT)
def test_any_text_as_code_is_code_and_nothing_else(text: str) -> None:
    tokens = inline_tokens(escape.code(text))
    types = {token.type for token in tokens}
    html = [token.content for token in tokens if token.type == "html_inline"]
    assert types <= {"code_inline", "text", "text_special", "html_inline"}
    assert html in ([], ["<code>", "</code>"])


@given(st.lists(ANY_TEXT, max_size=8))
def test_any_lines_stay_in_their_block(lines: list[str]) -> None:
    assert blocks_of(escape.block(lines)) == ["fence"]


@pytest.mark.parametrize("line", ["```", "````", "a ``` b", "~~~"])
def test_a_fence_within_a_block_does_not_end_it(line: str) -> None:
    tokens = MARKDOWN.parse(escape.block(["before", line, "# after"]))
    assert [(token.type, token.content) for token in tokens] == [("fence", f"before\n{line}\n# after\n")]


@pytest.mark.parametrize("address", ["www.evil.example", "WWW.evil.example", "https://evil.example"])
def test_an_address_in_prose_is_no_link_even_where_bare_addresses_are(address: str) -> None:
    assert not re.search(r"(?i)www\.|https?://", escape.inline(f"see {address} now"))


def test_a_mention_and_a_reference_are_broken_up() -> None:
    assert inline_tokens(escape.inline("@octocat see #12"))[0].content == "@\u200boctocat see #\u200b12"


def test_an_image_name_stays_readable_in_the_source() -> None:
    assert escape.code("registry.example/app:1.2@sha256:0f") == "`registry.example/app:1.2@sha256:0f`"


def test_a_metric_name_stays_readable_in_the_source() -> None:
    reason = "latency_p95_ms is 12.5, it has to be at most 10"
    assert escape.inline(reason) == reason


def test_text_beyond_the_limit_is_cut_and_says_so() -> None:
    assert escape.inline("x" * 500, limit_chars=10) == "x" * 9 + "…"


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_a_line_of_a_block_is_one_line_to_everybody_who_splits_it(separator: str) -> None:
    assert len(escape.block([f"a{separator}> b"]).splitlines()) == 3


@pytest.mark.parametrize("text", ["see GH-12", "gh-7"])
def test_an_issue_by_its_other_name_is_no_reference_either(text: str) -> None:
    assert "-&#8203;" in escape.inline(text)
    assert "&#8203;" not in escape.inline("high-12, ghost-1, GH-x")


def test_a_block_keeps_the_last_lines_and_counts_those_left_out() -> None:
    shown = escape.block([f"{number:05} {'x' * 94}" for number in range(1_000)]).splitlines()
    assert shown[1] == "… 802 earlier lines are left out"
    assert shown[-2].startswith("00999")


def test_terminal_colours_and_bidi_overrides_are_taken_out() -> None:
    assert escape.inline("\x1b[31mred\x1b[0m \u202eevil") == "red \ufffdevil"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://x y", "file:///etc/passwd"])
def test_an_address_that_is_not_of_the_web_is_no_link(address: str) -> None:
    assert "link_open" not in {token.type for token in inline_tokens(escape.link("run", address))}


def test_a_link_cannot_be_ended_early() -> None:
    tokens = inline_tokens(escape.link("run", "https://example/a)[b](https://evil.example"))
    assert [token.type for token in tokens] == ["link_open", "text", "link_close"]
