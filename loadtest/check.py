"""Whether a run can start on this machine: everything that stands in its way, found at once.

Leaves out what only a deployed stack can show (health).
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loadtest import process
from loadtest.chaos import packet_delay
from loadtest.chaos.model import Action
from loadtest.chaos.planned import check_fits
from loadtest.cluster import existing, kind
from loadtest.cluster.kubectl import Kubectl
from loadtest.engines import engine_for
from loadtest.errors import LoadTestError, MachineError, UsageError
from loadtest.exit_codes import ExitCode, worst
from loadtest.load_options import Flags
from loadtest.process import ProgramFailedError
from loadtest.stack_facts import StackFacts, read_stack_facts

_PROGRAMS = ("pulumi", "kubectl")
_PROGRAMS_OF_KIND = ("kind", "docker")
_DISK_FREE_MINIMUM_BYTES = 3 * 2**30
_TIMEOUT_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Problem:
    message: str
    hint: str
    exit_code: ExitCode


class CheckError(LoadTestError):
    """All that stands in the way; its exit code is that of the worst problem."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        lines = [f"  - {one.message}" + (f"\n    {one.hint}" if one.hint else "") for one in problems]
        super().__init__("this run cannot start:\n" + "\n".join(lines))
        self.exit_code = worst(one.exit_code for one in problems)


def check(project: Path, stack: str, load_flags: Flags | None = None) -> StackFacts:
    """The facts of a stack that can be deployed here and now. Raises CheckError with every problem."""
    facts = read_stack_facts(project, stack)
    checks: tuple[Callable[[Path, StackFacts], Iterator[Problem]], ...] = (
        _config,
        partial(_load, load_flags),
        partial(_load_pods, load_flags),
        partial(_chaos, load_flags),
        _delays,
        _programs,
        partial(_engine, stack),
        _disk,
        _leftovers,
        partial(_existing_cluster, load_flags),
    )
    with ThreadPoolExecutor(len(checks)) as pool:
        found = list(pool.map(lambda one: _problems(one(project, facts)), checks))
    if problems := tuple(problem for group in found for problem in group):
        raise CheckError(problems)
    return facts


def _problems(found: Iterable[Problem]) -> list[Problem]:
    """What a check found; a check that could not be carried out is a problem itself."""
    problems: list[Problem] = []
    try:
        problems.extend(found)
    except LoadTestError as error:
        problems.append(_problem(error))
    return problems


def _problem(error: LoadTestError) -> Problem:
    return Problem(message=error.message, hint=error.hint, exit_code=error.exit_code)


def _config(project: Path, facts: StackFacts) -> Iterator[Problem]:
    for problem in facts.problems:
        yield Problem(message=problem, hint="", exit_code=UsageError.exit_code)


def _load(flags: Flags | None, project: Path, facts: StackFacts) -> Iterator[Problem]:
    try:
        engine_for(facts.load.plan(flags))
    except LoadTestError as error:
        yield _problem(error)


def _load_pods(flags: Flags | None, project: Path, facts: StackFacts) -> Iterator[Problem]:
    """No registry has the pods' image: a cluster of ours has it where the config asked for it."""
    made = facts.cluster is not None and not facts.cluster.stays
    if made and _locust_workers(flags, facts) and not facts.load.locust_workers:
        yield Problem(
            message="locust_workers is asked for by a flag alone: the cluster will not have their image",
            hint="Say load_locust_workers in the stack's config: set-up gets it then, the cluster has it.",
            exit_code=UsageError.exit_code,
        )


def _chaos(flags: Flags | None, project: Path, facts: StackFacts) -> Iterator[Problem]:
    try:
        profile = facts.load.plan(flags).profile
    except UsageError:
        return  # told with the load
    try:
        check_fits(facts.chaos, profile)
    except UsageError as error:
        yield _problem(error)


def _delays(project: Path, facts: StackFacts) -> Iterator[Problem]:
    """Whether the kernel can do what it takes to delay packets: it may be built without."""
    image = facts.cluster.node_image if facts.cluster else None
    if image is None or not any(event.action is Action.DELAY for event in facts.chaos):
        return
    if not _has_image(project, image):
        return  # told with the engine
    try:
        packet_delay.try_out(image)
    except MachineError as error:
        yield _problem(error)


def _programs(project: Path, facts: StackFacts) -> Iterator[Problem]:
    needed = (*_PROGRAMS, *(_PROGRAMS_OF_KIND if _by_kind(facts) else ()))
    if missing := [name for name in needed if not shutil.which(name)]:
        yield Problem(
            message=f"not on the PATH: {', '.join(missing)}",
            hint="`make setup` gets them; then run through `make`, or `source .venv/bin/activate` first.",
            exit_code=MachineError.exit_code,
        )


def _engine(stack: str, project: Path, facts: StackFacts) -> Iterator[Problem]:
    images = facts.cluster.images if facts.cluster else ()
    if not _by_kind(facts) or (images and _are_there(project, images)):
        return
    process.answer(
        ("docker", "version", "--format", "{{.Server.Version}}"), folder=project, timeout_s=_TIMEOUT_S
    )
    if missing := [image for image in images if not _has_image(project, image)]:
        yield Problem(
            message=f"the container engine does not have {', '.join(missing)}, which the stack needs",
            hint=f"`make setup STACK={stack}` gets what is missing.",
            exit_code=MachineError.exit_code,
        )


def _are_there(project: Path, images: tuple[str, ...]) -> bool:
    """One quick question where all is well; the answer to it does not say which is missing, or why."""
    question = ("docker", "image", "inspect", "--format", "{{.Id}}", *images)
    try:
        process.answer(question, folder=project, timeout_s=_TIMEOUT_S)
    except ProgramFailedError:
        return False
    return True


def _has_image(project: Path, image: str) -> bool:
    listed = process.answer(("docker", "images", "--quiet", image), folder=project, timeout_s=_TIMEOUT_S)
    return bool(listed.strip())


def _disk(project: Path, facts: StackFacts) -> Iterator[Problem]:
    free_bytes = shutil.disk_usage(project).free
    if free_bytes < _DISK_FREE_MINIMUM_BYTES:
        yield Problem(
            message=f"{free_bytes / 2**30:.1f} GiB of disk are free, a run wants "
            f"{_DISK_FREE_MINIMUM_BYTES / 2**30:.0f} GiB",
            hint="Free some; `docker system df` shows what images and stopped containers hold.",
            exit_code=MachineError.exit_code,
        )


def _leftovers(project: Path, facts: StackFacts) -> Iterator[Problem]:
    if facts.cluster is None or not _by_kind(facts):
        return
    if containers := kind.node_containers(facts.cluster.name, folder=project):
        yield Problem(
            message=f"a cluster {facts.cluster.name!r} is there already ({', '.join(sorted(containers))})",
            hint="If it is an earlier run's, `make destroy` takes it down: no run starts over leftovers.",
            exit_code=MachineError.exit_code,
        )


def _existing_cluster(flags: Flags | None, project: Path, facts: StackFacts) -> Iterator[Problem]:
    cluster = facts.cluster
    if cluster is None or not cluster.stays:
        return
    kubectl = Kubectl(kubeconfig_path=cluster.kubeconfig_path, context=cluster.context)
    found = existing.problems(
        kubectl,
        prefix=cluster.namespace_prefix,
        selector=cluster.selector,
        load_pods=_locust_workers(flags, facts) > 0,
        autoscalers=cluster.autoscalers,
        certificate=cluster.certificate,
        chaos=bool(facts.chaos),
    )
    yield from map(_problem, found)


def _locust_workers(flags: Flags | None, facts: StackFacts) -> int:
    asked: int | None = (flags or {}).get("locust_workers")
    return facts.load.locust_workers if asked is None else asked


def _by_kind(facts: StackFacts) -> bool:
    """With a config that cannot be read, as if it were."""
    return facts.cluster is None or facts.cluster.by_kind
