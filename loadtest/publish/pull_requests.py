"""Which pull request a workflow run belongs to, asked of GitHub: for a fork's run its event does not say."""

from typing import TYPE_CHECKING

from loadtest.github_event import WorkflowRun

if TYPE_CHECKING:
    from github.Repository import Repository


def of_run(repository: "Repository", run: WorkflowRun) -> int | None:
    """The open one whose newest commit was run; None where it has a newer one, or its fork is gone."""
    if run.head_repository is None:
        return None
    owner = run.head_repository.owner.login
    found = repository.get_pulls(state="open", head=f"{owner}:{run.head_branch}")
    return next((one.number for one in found if one.head.sha == run.head_sha), None)
