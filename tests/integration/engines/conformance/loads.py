"""The loads that engines are put through: a plan for every profile that a table's engine can carry out."""

from collections.abc import Mapping

from loadtest.engines import ENGINES
from loadtest.load_options import LoadOptions
from loadtest.plan import PROFILES, LoadPlan, Script, Stage

OPTIONS: Mapping[str, LoadOptions] = {
    "closed": LoadOptions(requests=160, concurrency=6),
    "constant_rate": LoadOptions(profile="constant_rate", rate_rps=100, duration_s=1.6),
    "ramping_rate": LoadOptions(
        profile="ramping_rate",
        rate_rps=0,
        stages=(Stage(rate_rps=100, duration_s=1.2), Stage(rate_rps=100, duration_s=1.0)),
    ),
    "users": LoadOptions(
        profile="users", users=12, spawn_rate_per_s=12, wait_min_s=0.04, wait_max_s=0.1, duration_s=2.0
    ),
    "script": LoadOptions(profile="script", script="mine"),
}
TIMEOUT_S = 1.0

# Every row of the table with every profile it has; scripts are tested where their engine's own language is.
CAN = [
    (engine, profile)
    for engine, row in ENGINES.items()
    for profile, kind in PROFILES.items()
    if kind in row.profiles and kind is not Script
]
CANNOT = [
    (engine, profile)
    for engine, row in ENGINES.items()
    for profile, kind in PROFILES.items()
    if kind not in row.profiles
]


def plan(engine: str, profile: str, **changed: object) -> LoadPlan:
    flags = {"engine": engine, "timeout_s": TIMEOUT_S, "warm_up_retries": 0, "seed": 7} | changed
    return OPTIONS[profile].plan(flags)
