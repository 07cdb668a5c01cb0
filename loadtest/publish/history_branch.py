"""A file of lines on a branch of its own that holds no code: begun with its first line, then added to."""

import github
from github.ContentFile import ContentFile
from github.InputGitTreeElement import InputGitTreeElement
from github.Repository import Repository

BRANCH = "loadtest-history"
_MOST_LINES = 1_000  # GitHub hands out a file of up to a megabyte


def append(repository: Repository, *, stack: str, line: str) -> str:
    """Add the line unless it is the last one already; the value says where it is."""
    path, message = f"{stack}.jsonl", f"history: one more run of {stack}"
    lines, there = _lines(repository, path)
    text = "".join(f"{one}\n" for one in [*lines, line][-_MOST_LINES:])
    if there is None:
        _begin(repository, path, message, text)
    elif lines[-1:] != [line]:  # or an attempt whose answer got lost did it
        repository.update_file(path, message, text, there.sha, branch=BRANCH)
    return f"history kept: {path} on branch {BRANCH}"


def _lines(repository: Repository, path: str) -> tuple[list[str], ContentFile | None]:
    try:
        there = repository.get_contents(path, ref=BRANCH)
    except github.UnknownObjectException:
        return [], None
    file = there[0] if isinstance(there, list) else there
    return file.decoded_content.decode().splitlines(), file


def _begin(repository: Repository, path: str, message: str, text: str) -> None:
    try:
        repository.create_file(path, message, text, branch=BRANCH)
    except github.UnknownObjectException:  # there is no such branch
        tree = repository.create_git_tree([InputGitTreeElement(path, "100644", "blob", content=text)])
        commit = repository.create_git_commit(message, tree, [])
        repository.create_git_ref(f"refs/heads/{BRANCH}", commit.sha)
