"""Taking everything down, whatever state it is in: by Pulumi, by name where that fails, then a look.

A cluster that was there before the stack stays: only what the stack put into it goes.

Leaves out who calls it when: the pipeline always, a person by `loadtest destroy`, the guard for a dead run.
"""

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from loadtest.cluster import existing, kind
from loadtest.cluster.kubectl import Kubectl
from loadtest.deployed import Deployed, read_deployed
from loadtest.errors import CleanupError, LoadTestError, UsageError
from loadtest.pulumi_cli import PulumiStack, StackLockedError
from loadtest.stack_facts import ClusterFacts, StackFacts

logger = logging.getLogger(__name__)


def destroy(stack: PulumiStack, facts: StackFacts, say: Callable[[str], None]) -> tuple[str, ...]:
    """Take the stack and its cluster down; the value says in words what did not go the plain way.

    Raises CleanupError when something is still there at the end. The caller holds the run lock.
    """
    notes: list[str] = []
    deployed = read_deployed(stack, facts)
    if deployed.cluster and deployed.cluster.stays:
        _clear(stack, deployed, deployed.cluster, notes, say)
        _delete_claimed(stack, facts, notes, say)  # of an earlier config, which made its cluster
        return tuple(notes)
    with _head_start(stack, deployed):
        emptied = _emptied(stack, notes, say)
    _delete_claimed(stack, facts, notes, say)
    gone = _cluster_is_gone(stack, deployed.cluster, notes)
    if not emptied:
        if not gone:
            raise CleanupError(
                "`pulumi destroy` failed and the cluster may still be there: the stack's state is kept",
                hint="\n".join(notes),
            )
        _forget(stack)
        notes.append("the stack's state was emptied: what it named is gone with its cluster")
    if deployed.cluster:
        _delete_copies_of_kubeconfig(stack.project, deployed.cluster.context)
    return tuple(notes)


@contextlib.contextmanager
def _head_start(stack: PulumiStack, deployed: Deployed) -> Iterator[None]:
    """Within, the nodes go while Pulumi is still starting, which takes longer; it looks for what is left."""
    cluster, made = deployed.cluster, deployed.node_containers
    if cluster is None or cluster.kubeconfig_path is None or not made:
        yield
        return
    name, kubeconfig, log = cluster.name, Path(cluster.kubeconfig_path), stack.logs / "kind-delete.log"

    def go() -> None:
        try:
            kind.delete(name, kubeconfig, folder=stack.project, log=log, made=made)
        except Exception as error:  # whatever it is, Pulumi is at it too
            logger.warning("left to Pulumi: %s", error)

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _clear(
    stack: PulumiStack,
    deployed: Deployed,
    cluster: ClusterFacts,
    notes: list[str],
    say: Callable[[str], None],
) -> None:
    """Take what the stack put there out of a cluster that stays, and look whether anything is left."""
    kubectl = Kubectl(kubeconfig_path=cluster.kubeconfig_path, context=cluster.context)
    removal = existing.removal(kubectl, cluster.selector)
    _check_same_cluster(deployed.server, kubectl)
    if _out_of_reach(stack, kubectl, removal, is_empty=deployed.is_empty):
        return
    emptied = _emptied(stack, notes, say)
    if left := existing.leftovers(kubectl, cluster.selector):
        say("deleting what is left by its label")
        notes.append(f"deleted by their label: {', '.join(left)}")
        existing.remove(kubectl, cluster.selector)
    if left := existing.leftovers(kubectl, cluster.selector):
        raise CleanupError(
            f"still in the cluster: {', '.join(left)}",
            hint="\n".join([*notes, f"The stack's state is kept. By hand they are removed by:\n{removal}"]),
        )
    if not emptied:
        _forget(stack)
        notes.append("the stack's state was emptied: nothing of the stack is left in the cluster")


def _check_same_cluster(then: str | None, kubectl: Kubectl) -> None:
    """Raises CleanupError where the context leads elsewhere now: nothing found there would say anything."""
    now = existing.server(kubectl)
    if then and now and then != now:
        raise CleanupError(
            f"the stack was deployed to the cluster at {then}, and context {kubectl.context!r} now leads to "
            f"{now}: nothing was deleted, the stack's state is kept",
            hint="It takes the kubeconfig that it was deployed with; where the stack names none, KUBECONFIG "
            "does. If it is the same cluster at another address, `pulumi up` notes it; then destroy again.",
        )


def _out_of_reach(stack: PulumiStack, kubectl: Kubectl, removal: str, *, is_empty: bool) -> bool:
    """Whether the cluster cannot be asked, which is no failure where nothing was made.

    Raises CleanupError where something was, UsageError where the kubeconfig has no way to the cluster.
    """
    try:
        why = existing.out_of_reach(kubectl)
    except UsageError:
        if is_empty:
            return True
        raise
    if why is None or is_empty:
        return why is not None
    _forget(stack)
    raise CleanupError(
        f"{why}\nwhat the stack put into that cluster may still be there; the stack's state was emptied",
        hint=f"Once the cluster answers again, this removes what is left:\n{removal}",
    )


def _emptied(stack: PulumiStack, notes: list[str], say: Callable[[str], None]) -> bool:
    """Whether Pulumi itself could take everything down."""
    say("pulumi destroy")
    try:
        try:
            stack.destroy()
        except StackLockedError as error:
            _note(error, notes)
            stack.release_lock()
            stack.destroy()
    except LoadTestError as error:
        _note(error, notes)
        return False
    return True


def _note(error: LoadTestError, notes: list[str]) -> None:
    logger.warning("cleaning up: %s", error)
    notes.append(str(error))


def _forget(stack: PulumiStack) -> None:
    stack.release_lock()
    stack.forget()


def _cluster_is_gone(stack: PulumiStack, cluster: ClusterFacts | None, notes: list[str]) -> bool:
    if cluster is None or not cluster.by_kind:
        return False  # nobody can say
    if kind.node_containers(cluster.name, folder=stack.project):
        notes.append(f"the cluster {cluster.name} was not made by this stack: it is left alone")
        return False
    return True


def _delete_claimed(
    stack: PulumiStack, facts: StackFacts, notes: list[str], say: Callable[[str], None]
) -> None:
    """Delete by its name what Pulumi does not know of: a cluster half made when its creation was cut off."""
    for claim in facts.claimed():
        _delete_by_name(stack, claim, notes, say)


def _delete_by_name(stack: PulumiStack, claim: Path, notes: list[str], say: Callable[[str], None]) -> None:
    cluster = claim.stem
    if kind.node_containers(cluster, folder=stack.project):
        say(f"deleting the cluster {cluster} by its name")
        kind.delete(cluster, claim, folder=stack.project, log=stack.logs / "kind-delete.log")
        notes.append(f"the cluster {cluster} was deleted by its name")
    if left := kind.node_containers(cluster, folder=stack.project):
        raise CleanupError(
            f"still there: {', '.join(left)}", hint=f"`docker rm --force {' '.join(left)}` removes them."
        )
    claim.unlink(missing_ok=True)
    _delete_copies_of_kubeconfig(stack.project, kind.context_of(cluster))


def _delete_copies_of_kubeconfig(project: Path, context: str) -> None:
    """Pulumi's Kubernetes plugin leaves some among its temporary files."""
    ours = re.compile(rf"{re.escape(context)}(?![\w.-])")  # another stack may be at work
    for copy in (project / ".toolchain" / "tmp").glob("kubeconfig*"):
        with contextlib.suppress(FileNotFoundError):  # another clean-up may be at it too
            if ours.search(copy.read_text(errors="replace")):
                copy.unlink()
