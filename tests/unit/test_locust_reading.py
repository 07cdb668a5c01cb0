"""What a locust process prints, read: samples relative to the window, and nothing missing at the end."""

import json
from dataclasses import replace

import pytest

from loadtest.engines.locust.notes import notes
from loadtest.engines.locust.reading import Ended, Failure, Reading, SenderTotals
from loadtest.errors import InconclusiveError
from loadtest.sample import Arm, ErrorClass, Sample
from tests.unit.locust_jobs import job

STARTED_NS = 1_700_000_000_000_000_000
MS = 1_000_000
JOB = job()
CUT = b'["foo",17'


def started() -> bytes:
    return json.dumps({"event": "started", "unix_ns": STARTED_NS}).encode()


def record(*, at_ms: int = 10, error: str | None = None, status: int | None = 200) -> bytes:
    start_ns = STARTED_NS + at_ms * MS
    return json.dumps(["foo", start_ns - MS, start_ns, 5 * MS, status, 4, error]).encode()


def ended(*requests: int) -> bytes:
    senders = [{"requests": one, "cpu_s": 0.5, "connections_opened": 2} for one in requests]
    return json.dumps({"event": "ended", "senders": senders, "failures": []}).encode()


def read(*lines: bytes, senders: int = 1) -> tuple[Reading, list[Sample]]:
    samples: list[Sample] = []
    reading = Reading(samples.append, lambda: None, senders=senders)
    reading.take(line if line == CUT else line + b"\n" for line in lines)
    return reading, samples


def test_a_record_is_a_sample_whose_times_count_from_the_window() -> None:
    reading, [sample] = read(started(), record(), ended(1))
    assert sample == Sample(
        arm=Arm.HEAD,
        round=1,
        host="foo",
        intended_start_ns=9 * MS,
        actual_start_ns=10 * MS,
        latency_ns=5 * MS,
        status=200,
        body_bytes=4,
        error=None,
    )
    assert STARTED_NS == reading.window.started_unix_ns
    assert STARTED_NS + 15 * MS == reading.window.ended_unix_ns


def test_an_error_keeps_its_class() -> None:
    _, [sample] = read(started(), record(error="timeout", status=None), ended(1))
    assert (ErrorClass.TIMEOUT, None) == (sample.error, sample.status)


def test_the_window_ends_with_the_last_answer_in_whatever_order_they_came() -> None:
    reading, _ = read(started(), record(at_ms=300), record(at_ms=20), ended(2))
    assert 305 * MS == reading.window.ended_unix_ns - STARTED_NS


@pytest.mark.parametrize("sent", [(3,), (1, 2)])
def test_a_record_that_is_lost_on_the_way_makes_the_load_inconclusive(sent: tuple[int, ...]) -> None:
    with pytest.raises(InconclusiveError, match="locust sent 3 requests, records of 2 arrived"):
        read(started(), record(), record(), ended(*sent), senders=len(sent))


def test_a_worker_that_never_tells_makes_the_load_inconclusive() -> None:
    with pytest.raises(InconclusiveError, match="1 of 2 locust workers told"):
        read(started(), record(), ended(1), senders=2)


def test_a_line_that_ends_with_its_process_is_no_record() -> None:
    reading, samples = read(started(), record(), CUT)
    assert (1, None) == (len(samples), reading.ended)


def test_a_load_that_was_cut_short_has_no_end() -> None:
    reading, samples = read(started(), record())
    assert reading.ended is None
    assert 1 == len(samples)


def sender(ahead_ms: float | None) -> SenderTotals:
    ahead_ns = None if ahead_ms is None else round(ahead_ms * MS)
    return SenderTotals(
        requests=1, cpu_s=1, connections_opened=1, clock_ahead_ns=ahead_ns, clock_uncertainty_ns=MS // 4
    )


def test_how_far_the_clocks_of_workers_were_off_is_told() -> None:
    job = replace(JOB, workers=2)
    _, clocks = notes(job, Ended(senders=(sender(-3), sender(1)), failures=()), {"foo": 2})
    assert "off by at most 3.000 ms" in clocks
    assert "to within 0.250 ms" in clocks
    _, clocks = notes(job, Ended(senders=(sender(None), sender(0)), failures=()), {"foo": 2})
    assert "1 of their 2 clocks could not be compared" in clocks


def test_a_load_from_this_machine_to_the_apps_alone_needs_no_words() -> None:
    assert [] == [*notes(JOB, Ended(senders=(sender(None),), failures=()), {"foo": 2})]


def test_what_went_elsewhere_and_what_was_raised_is_told_and_capped() -> None:
    elsewhere = {f"stranger-{number}": 2 for number in range(8)}
    failure = Failure(count=7, message="x" * 10_000)
    others, raised = notes(JOB, Ended(senders=(), failures=(failure,)), {"foo": 1, **elsewhere})
    assert others.startswith("16 requests were to hosts that are no app's of the stack: stranger-0 (2), ")
    assert others.endswith("and 3 more")
    assert raised.startswith("Tasks raised 7 times: xxx")
    assert len(raised) < 300
