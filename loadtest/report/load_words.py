"""The shape of a load in words. Leaves out how many requests came of it."""

from loadtest.plan import Arrivals, ClosedLoop, ConstantRate, Profile, RampingRate, Script, Stage, Users
from loadtest.report import escape, figures


def load_words(profile: Profile) -> str:
    match profile:
        case ClosedLoop(concurrency=concurrency):
            return f"concurrency {concurrency:,}"
        case ConstantRate(rate_rps=rate, duration_s=duration):
            return f"{figures.count(rate)} requests/s for {figures.seconds(duration)}{_chance(profile)}"
        case RampingRate(rate_rps=rate, stages=stages):
            return (
                f"from {figures.count(rate)} requests/s to {', then '.join(map(_stage, stages))}"
                f"{_chance(profile)}"
            )
        case Users():
            return _users(profile)
        case Script(script=script):
            return f"as the script {escape.code(script)} has it"


def _stage(stage: Stage) -> str:
    within = f"within {figures.seconds(stage.duration_s)}" if stage.duration_s else "at once"
    return f"{figures.count(stage.rate_rps)} {within}"


def _chance(profile: ConstantRate | RampingRate) -> str:
    return ", arriving by chance" if profile.arrivals is Arrivals.POISSON else ""


def _users(profile: Users) -> str:
    return (
        f"up to {profile.users:,} users, {figures.count(profile.spawn_rate_per_s)} more a second, "
        f"each waiting {profile.wait_min_s:g} to {profile.wait_max_s:g} s, "
        f"for {figures.seconds(profile.duration_s)}"
    )
