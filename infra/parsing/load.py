"""The load, from the configuration.

Leaves out which settings of a load go together: `python -m loadtest check` says so, which knows the engines.
"""

import re

from infra.model import Arrivals, LoadProfile, LoadSettings, LoadStage
from infra.parsing.forms import NAME
from infra.reading import Section

_SCRIPT = re.compile(r"([^\x00-\x1f]{1,1000})?")


def load(section: Section) -> LoadSettings:
    return LoadSettings(
        engine=section.text("load_engine", form=NAME, rule="the name of an engine, such as builtin"),
        profile=section.choice("load_profile", LoadProfile),
        requests=section.integer("load_requests", at_least=1, at_most=20_000_000),
        concurrency=section.integer("load_concurrency", at_least=1, at_most=10_000),
        rate_rps=section.integer("load_rate_rps", at_least=0, at_most=1_000_000),
        duration_s=section.integer("load_duration_s", at_least=1, at_most=86_400),
        stages=tuple(_stage(item) for item in section.sections("load_stages", label="rate_rps")),
        arrivals=section.choice("load_arrivals", Arrivals),
        max_connections=section.integer("load_max_connections", at_least=0, at_most=10_000),
        worker_processes=section.integer("load_worker_processes", at_least=1, at_most=64),
        users=section.integer("load_users", at_least=1, at_most=100_000),
        spawn_rate_per_s=section.integer("load_spawn_rate_per_s", at_least=1, at_most=100_000),
        wait_min_s=section.number_text("load_wait_min_s"),
        wait_max_s=section.number_text("load_wait_max_s"),
        script=section.text("load_script", form=_SCRIPT, rule="the path of a script in this project"),
        locust_workers=section.integer("load_locust_workers", at_least=0, at_most=1_000),
        locust_web_port=section.integer("load_locust_web_port", at_least=0, at_most=65_535),
        timeout_s=section.integer("load_timeout_s", at_least=1, at_most=600),
        warm_up_retries=section.integer("load_warm_up_retries", at_least=0, at_most=1_000),
        seed=section.integer("load_seed", at_least=0, at_most=2**31 - 1),
    )


def _stage(section: Section) -> LoadStage:
    stage = LoadStage(rate_rps=section.number("rate_rps"), duration_s=section.number("duration_s"))
    section.close()
    return stage
