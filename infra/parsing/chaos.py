"""What is to go wrong while the load goes on, from the configuration.

Leaves out whether the load lasts long enough: flags may change the load, so `python -m loadtest` says that.
"""

from collections.abc import Iterator, Sequence

from infra.model import AppSettings, ChaosAction, ChaosSettings, ClusterSettings
from infra.reading import Section

_INGRESS = "ingress"
_NODE = "node/"
_LONGEST_S = 86_400
_LONGEST_DELAY_MS = 60_000


def chaos(
    section: Section, *, apps: Sequence[AppSettings], cluster: ClusterSettings
) -> tuple[ChaosSettings, ...]:
    targets = (*(f"app/{app.name}" for app in apps), _INGRESS, *_nodes(cluster))
    listed = section.sections("chaos", label="action")
    return tuple(_event(item, targets, existing=cluster.existing is not None) for item in listed)


def _nodes(cluster: ClusterSettings) -> Iterator[str]:
    """As kind names them after the cluster's own name."""
    if cluster.existing is None:
        for role, count in (("control-plane", cluster.control_planes), ("worker", cluster.workers)):
            yield from (f"{_NODE}{role}{'' if number == 1 else number}" for number in range(1, count + 1))


def _event(section: Section, targets: Sequence[str], *, existing: bool) -> ChaosSettings:
    event = ChaosSettings(
        at_s=section.number("at_s"),
        action=section.choice("action", ChaosAction),
        target=section.name_in("target", targets),
        duration_s=section.number_or_none("duration_s"),
        delay_ms=section.number_or_none("delay_ms"),
    )
    section.close()
    _check_numbers(section, event)
    if section.values.get("action") == event.action:  # else another stands in for it
        _check_action(section, event, existing=existing)
    return event


def _check_numbers(section: Section, event: ChaosSettings) -> None:
    if not 0 <= event.at_s <= _LONGEST_S:
        section.problem(
            "at_s", f"is {event.at_s:g}, it has to be a second of the load from 0 to {_LONGEST_S}"
        )
    if event.duration_s is not None and not 0 < event.duration_s <= _LONGEST_S:
        section.problem(
            "duration_s", f"is {event.duration_s:g}, it has to be above 0 and at most {_LONGEST_S}"
        )
    if event.delay_ms is not None and not 0 < event.delay_ms <= _LONGEST_DELAY_MS:
        rule = f"it has to be above 0 and at most {_LONGEST_DELAY_MS}"
        section.problem("delay_ms", f"is {event.delay_ms:g}, {rule}")


def _check_action(section: Section, event: ChaosSettings, *, existing: bool) -> None:
    action, of_a_node = event.action, event.target.startswith(_NODE)
    if existing and action is not ChaosAction.DELETE:
        section.problem(
            "action",
            f"is {action}, which takes the nodes' own shells: of an existing cluster "
            "nothing but a pod can be hit, with delete",
        )
    if of_a_node and action is ChaosAction.DELETE:
        section.problem("action", "is delete, of which pods alone can be the target: a node can be killed")
    if event.duration_s is not None and _for_good(action, of_a_node=of_a_node):
        section.problem(
            "duration_s", f"is set, a pod that is hit by {action} does not come back at a set time"
        )
    if (event.delay_ms is not None) != (action is ChaosAction.DELAY):
        complaint = (
            "is not set" if event.delay_ms is None else f"is set, it is of use with {ChaosAction.DELAY} alone"
        )
        section.problem("delay_ms", complaint)


def _for_good(action: ChaosAction, *, of_a_node: bool) -> bool:
    return action is ChaosAction.DELETE or (action is ChaosAction.KILL and not of_a_node)
