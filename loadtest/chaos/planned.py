"""Whether events fit the load that they are planned for. Pure.

Leaves out what they may hit: the Pulumi program's own settings know that.
"""

from collections.abc import Iterator, Sequence

from loadtest.chaos.model import ChaosEvent
from loadtest.errors import UsageError
from loadtest.plan import ClosedLoop, ConstantRate, Profile, RampingRate, Script, Users


def check_fits(events: Sequence[ChaosEvent], profile: Profile) -> None:
    """Raises UsageError with every event that comes too late, or lasts too long.

    A load that ends with its last request has no known length: the report says what did not happen in it.
    """
    if found := list(_problems(events, _duration_s(profile))):
        raise UsageError("the chaos does not fit the load: " + "; ".join(found))


def _problems(events: Sequence[ChaosEvent], duration_s: float | None) -> Iterator[str]:
    if duration_s is None:
        return
    for event in events:
        over_s = event.at_s + (event.duration_s or 0.0)
        if over_s >= duration_s:
            when = (
                f"comes at {over_s:g} s" if event.duration_s is None else f"is not over before {over_s:g} s"
            )
            yield f"{event.action} {event.target} {when}, the load ends at {duration_s:g} s"


def _duration_s(profile: Profile) -> float | None:
    match profile:
        case ConstantRate() | RampingRate() | Users() | Script():
            return profile.duration_s
        case ClosedLoop():
            return None
