"""`make sample`: keeps a run's comment as docs/sample-comment.md, and a picture of how it begins.

The picture is Chromium's, of the comment's own Markdown in a sheet much like GitHub's. Leaves out what lies
below the fold, which the page beside it has.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from markdown_it import MarkdownIt

DOCS = Path(__file__).resolve().parent
_WIDTH_PX, _HEIGHT_PX = 940, 620
_TIMEOUT_S = 60.0
_PAGE = """\
<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 16px 20px; font: 14px/1.5 sans-serif; color: #1f2328; background: #fff }}
h2 {{ font-size: 20px; margin: 0 0 12px }} h3 {{ font-size: 16px; margin: 16px 0 8px }}
table {{ border-collapse: collapse; font-size: 12px }}
th, td {{ border: 1px solid #d1d9e0; padding: 4px 8px }}
tr:nth-child(2n) {{ background: #f6f8fa }} p, ul {{ margin: 8px 0 }}
code, pre {{ font: 12px/1.35 monospace; background: #eff1f3; border-radius: 4px; padding: 1px 4px }}
pre {{ padding: 8px }} pre code {{ padding: 0 }}
</style>{body}
"""


def main(comment: Path) -> None:
    markdown = comment.read_text(encoding="utf-8")
    (DOCS / "sample-comment.md").write_text(markdown, encoding="utf-8")
    body = MarkdownIt("commonmark").enable("table").render(markdown)
    with TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(_PAGE.format(body=body), encoding="utf-8")
        _photograph(page, DOCS / "sample-comment.png")


def _photograph(page: Path, picture: Path) -> None:
    subprocess.run(
        (
            *("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(f"--user-data-dir={page.parent / 'profile'}", f"--window-size={_WIDTH_PX},{_HEIGHT_PX}"),
            *(f"--screenshot={picture}", page.as_uri()),
        ),
        check=True,
        capture_output=True,
        timeout=_TIMEOUT_S,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
