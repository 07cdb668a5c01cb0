"""What is promised, from the configuration: metrics of the report and their limits.

Leaves out how a metric is measured and judged: the load test knows that.
"""

import math
from collections.abc import Iterator, Sequence

from infra.model import AppSettings, Metric, ObjectiveSettings
from infra.reading import Section, repeated

_SCOPES = ("ingress", "cluster")  # beside the apps


def slo(section: Section, *, apps: Sequence[AppSettings]) -> tuple[ObjectiveSettings, ...]:
    hosts, scopes = [app.host for app in apps], [*(app.name for app in apps), *_SCOPES]
    listed = tuple(_objective(item, hosts, scopes) for item in section.sections("slo", label="metric"))
    for name in repeated(" of ".join(filter(None, (one.metric, one.host, one.scope))) for one in listed):
        section.problem("slo", f"has {name} more than once, one entry can both warn and fail")
    return listed


def _objective(section: Section, hosts: Sequence[str], scopes: Sequence[str]) -> ObjectiveSettings:
    metric = section.choice("metric", Metric)
    known = section.values.get("metric") == metric  # else it stands in for one that there is not
    highest = 1 if known and metric.endswith("_ratio") else math.inf
    limits = {
        key: section.number_or_none(key, at_least=0, at_most=highest)
        for key in ("warn_above", "fail_above", "warn_below", "fail_below")
    }
    side = "below" if metric.more_is_better else "above"
    objective = ObjectiveSettings(
        metric=metric,
        host=section.name_or_none("host", hosts),
        scope=section.name_or_none("scope", scopes),
        warn_limit=limits[f"warn_{side}"],
        fail_limit=limits[f"fail_{side}"],
    )
    section.close()
    for key, complaint in _complaints(section, objective, side) if known else ():
        section.problem(key, complaint)
    return objective


def _complaints(section: Section, one: ObjectiveSettings, side: str) -> Iterator[tuple[str, str]]:
    other, better = ("above", "more") if one.metric.more_is_better else ("below", "less")
    given = {key for key, value in section.values.items() if value is not None}
    if one.metric.of_resources and one.host:
        yield "host", f"is set, {one.metric} is of what was used in the cluster: it may have a scope"
    if one.scope and not one.metric.of_resources:
        yield "scope", f"is set, {one.metric} is of what clients saw: it may have a host"
    for key in sorted(given & {f"warn_{other}", f"fail_{other}"}):
        yield key, f"is set, {better} is better of {one.metric}: it has warn_{side} and fail_{side}"
    if not given & {"warn_above", "fail_above", "warn_below", "fail_below"}:
        yield f"warn_{side} or fail_{side}", "is not set"
    warn, fail = one.warn_limit, one.fail_limit
    if warn is not None and fail is not None and (warn <= fail if side == "below" else warn >= fail):
        yield f"warn_{side}", f"is {warn:g}, that has failed already: fail_{side} is {fail:g}"
