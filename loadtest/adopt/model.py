"""What has to be known of a service, and of this project, to measure the service's pull requests."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """`source` and `commit` are this project's repository, as owner/name, and the commit of it to run.

    `branch` is the one that the service's pull requests go to; `build` the folder with its Dockerfile, None
    where its image comes from a registry.
    """

    stack: str
    app: str
    image: str
    port: int
    host: str
    expected_body: str
    source: str
    commit: str
    branch: str
    build: str | None = None
