"""The workflow's job summary: Markdown appended to the file that the workflow names."""

from pathlib import Path

from loadtest.errors import PublishError

LIMIT_BYTES = 1024 * 1024  # of one step; GitHub drops a longer one as a whole


def append(path: Path, markdown: str) -> str:
    """Raises PublishError where the file cannot be written or would grow beyond what GitHub shows."""
    text = markdown.encode()
    try:
        size_bytes = path.stat().st_size if path.exists() else 0
        if size_bytes + len(text) > LIMIT_BYTES:
            raise PublishError(
                f"no job summary: {size_bytes:,} bytes are there and the report has {len(text):,}, "
                f"together more than the {LIMIT_BYTES:,} GitHub shows",
            )
        with path.open("ab") as summary:
            summary.write(text)
    except OSError as error:
        raise PublishError(f"no job summary: {path} cannot be written ({error.strerror})") from error
    return "job summary written"
