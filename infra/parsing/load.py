"""The load and what is promised under it, from the configuration."""

import re

from infra.model import Comparison, LoadSettings, ObjectiveSettings
from infra.reading import Section

_METRIC = re.compile(r"[a-z][a-z0-9_.]*")


def load(section: Section) -> LoadSettings:
    return LoadSettings(
        requests=section.integer("load_requests", at_least=1, at_most=100_000_000),
        concurrency=section.integer("load_concurrency", at_least=1, at_most=10_000),
        timeout_s=section.integer("load_timeout_s", at_least=1, at_most=600),
        warm_up_retries=section.integer("load_warm_up_retries", at_least=0, at_most=1_000),
        seed=section.integer("load_seed", at_least=0, at_most=2**31 - 1),
    )


def objectives(section: Section) -> tuple[ObjectiveSettings, ...]:
    return tuple(_objective(item) for item in section.sections("objectives", label="metric"))


def _objective(section: Section) -> ObjectiveSettings:
    objective = ObjectiveSettings(
        metric=section.text("metric", form=_METRIC, rule="the name of a figure, such as success_ratio"),
        comparison=section.choice("comparison", Comparison),
        limit=section.number("limit"),
    )
    section.close()
    return objective
