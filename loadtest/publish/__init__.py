"""Where a report goes: the pull request's comment and the workflow's job summary."""
