"""What a reader of a locust run's figures has to know beside them, as sentences."""

from collections.abc import Iterator, Mapping, Sequence

from loadtest.engines.locust.reading import Ended, SenderTotals
from loadtest.engines.locust.runner.job import Job

_NAMED_HOSTS = 5
_MESSAGE_CHARACTERS = 200
_NS_PER_MS = 1e6


def notes(job: Job, ended: Ended, hosts: Mapping[str, int]) -> Iterator[str]:
    """`hosts` are those asked, each with the number of requests."""
    if job.workers:
        yield (
            f"{job.workers} workers in the cluster sent it, to the ingress at its address in there: "
            "what the cluster used includes them"
        )
        yield _clocks(ended.senders)
    ours = {app.host for app in job.apps}
    if others := {host: requests for host, requests in hosts.items() if host not in ours}:
        yield _elsewhere(others)
    if untimed := sum(one.untimed for one in ended.senders):
        yield f"{untimed:,} requests of the locustfile did not tell how long they took: no figure has them"
    for failure in ended.failures:
        yield f"Tasks raised {failure.count:,} times: {failure.message[:_MESSAGE_CHARACTERS]}"


def _clocks(senders: Sequence[SenderTotals]) -> str:
    offs_ns = [abs(one.clock_ahead_ns) for one in senders if one.clock_ahead_ns is not None]
    if lacking := len(senders) - len(offs_ns):
        return f"{lacking} of their {len(senders)} clocks could not be compared with the master's"
    uncertainty_ns = max(one.clock_uncertainty_ns or 0 for one in senders)
    return (
        f"Their clocks were off by at most {max(offs_ns) / _NS_PER_MS:.3f} ms, which is corrected to within "
        f"{uncertainty_ns / _NS_PER_MS:.3f} ms"
    )


def _elsewhere(others: Mapping[str, int]) -> str:
    named = ", ".join(f"{host or 'no host'} ({others[host]:,})" for host in sorted(others)[:_NAMED_HOSTS])
    more = "" if len(others) <= _NAMED_HOSTS else f" and {len(others) - _NAMED_HOSTS} more"
    return f"{sum(others.values()):,} requests were to hosts that are no app's of the stack: {named}{more}"
