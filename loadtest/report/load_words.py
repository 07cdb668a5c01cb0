"""The shape of a load in words. Leaves out how many requests came of it."""

from loadtest.plan import ClosedLoop, ConstantRate, Profile, RampingRate, Script, Users
from loadtest.report import escape, figures


def load_words(profile: Profile) -> str:
    match profile:
        case ClosedLoop(concurrency=concurrency):
            return f"concurrency {concurrency:,}"
        case ConstantRate(rate_rps=rate, duration_s=duration):
            return f"{figures.count(rate)} requests/s for {figures.seconds(duration)}"
        case RampingRate(rate_rps=rate, stages=stages):
            steps = (
                f"{figures.count(stage.rate_rps)} within {figures.seconds(stage.duration_s)}"
                for stage in stages
            )
            return f"from {figures.count(rate)} requests/s to {', then '.join(steps)}"
        case Users():
            return _users(profile)
        case Script(script=script):
            return f"as the script {escape.code(script)} has it"


def _users(profile: Users) -> str:
    return (
        f"up to {profile.users:,} users, {figures.count(profile.spawn_rate_per_s)} more a second, "
        f"each waiting {profile.wait_min_s:g} to {profile.wait_max_s:g} s, "
        f"for {figures.seconds(profile.duration_s)}"
    )
