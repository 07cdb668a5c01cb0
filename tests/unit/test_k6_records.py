"""k6's rows made samples: what belongs together, what is an error, and what is no sample at all."""

import pytest

from loadtest.engines.k6.job import WARM_UP_SCENARIO
from loadtest.engines.k6.records import Records
from loadtest.sample import ErrorClass, Sample

COLUMNS = "metric_name,timestamp,metric_value,check,error,error_code,scenario,status,url,extra_tags,metadata"
START_NS = 1_795_252_357_000_000_000


def row(metric: str, value: float, *, at_ns: int = 0, user: int = 1, **tags: object) -> str:
    tag = {"scenario": "load", "url": "foo.localhost", "status": 200} | tags
    named = (tag.get(name, "") for name in ("check", "error", "error_code", "scenario", "status", "url"))
    figures = (metric, START_NS + at_ns, f"{value:f}", *named, "", f"iter=0&vu={user}")
    return ",".join(map(str, figures))


def request(
    *,
    ended_ns: int,
    blocked_ms: float = 0,
    connecting_ms: float = 0,
    duration_ms: float = 0,
    receiving_ms: float = 0,
    **tags: object,
) -> list[str]:
    figures = {
        "http_reqs": 1.0,
        "http_req_duration": duration_ms,
        "http_req_blocked": blocked_ms,
        "http_req_connecting": connecting_ms,
        "http_req_receiving": receiving_ms,
    }
    return [row(metric, value, at_ns=ended_ns, **tags) for metric, value in figures.items()]


def read(*rows: str, closed: bool = False, ending: bytes = b"") -> tuple[list[Sample], Records]:
    samples: list[Sample] = []
    records = Records(samples.append, closed=closed)
    records.take([*(f"{line}\n".encode() for line in (COLUMNS, *rows)), ending])
    return samples, records


def test_latency_counts_from_the_actual_start_with_the_wait_for_a_connection() -> None:
    samples, records = read(
        *request(ended_ns=5_000_000, blocked_ms=1.5, connecting_ms=1.25, duration_ms=2.5),
        *request(ended_ns=9_000_000, duration_ms=1, user=2),
    )
    assert [(0, 4_000_000), (7_000_000, 1_000_000)] == [
        (one.actual_start_ns, one.latency_ns) for one in samples
    ]
    assert 1 == records.connections_opened
    window = records.window
    assert (START_NS + 1_000_000, START_NS + 9_000_000) == (window.started_unix_ns, window.ended_unix_ns)


def test_a_latency_is_split_as_k6_tells_it() -> None:
    opened = request(
        ended_ns=5_000_000, blocked_ms=1.5, connecting_ms=1.25, duration_ms=2.5, receiving_ms=0.5
    )
    reused = request(ended_ns=9_000_000, blocked_ms=0.25, duration_ms=2)
    nobody = request(ended_ns=9_500_000, blocked_ms=0.25, status=0, error_code=1212)
    samples, _ = read(*opened, *reused, *nobody)
    assert [(1_250_000, 3_500_000), (0, 2_250_000), (None, None)] == [
        (one.connect_ns, one.first_byte_ns) for one in samples
    ]


def test_the_window_begins_when_the_script_says_so() -> None:
    samples, records = read(row("loadproof_window_begins", 0), *request(ended_ns=5_000_000, duration_ms=2))
    assert START_NS == records.window.started_unix_ns
    assert [3_000_000] == [one.actual_start_ns for one in samples]


def test_requests_of_several_users_may_come_through_each_other() -> None:
    one, other = request(ended_ns=9, user=1), request(ended_ns=9, user=12, url="bar.localhost")
    mixed = [line for pair in zip(one, other, strict=True) for line in pair]
    body = [row("loadproof_body_bytes", value, user=user) for user, value in ((12, 7), (1, 4))]
    samples, _ = read(*mixed, *body)
    assert [("foo.localhost", 4), ("bar.localhost", 7)] == [(one.host, one.body_bytes) for one in samples]


def test_a_user_of_a_closed_loop_intends_its_next_request_for_when_it_became_free() -> None:
    rows = (
        *request(ended_ns=2_000_000, duration_ms=2),
        *request(ended_ns=5_000_000, duration_ms=1),
    )
    intended = [one.intended_start_ns for one in read(*rows, closed=True)[0]]
    assert [0, 2_000_000] == intended
    assert [0, 4_000_000] == [one.intended_start_ns for one in read(*rows)[0]], (
        "else the start is all k6 tells"
    )


@pytest.mark.parametrize(
    ("tags", "status", "error"),
    [
        ({"status": 200}, 200, None),
        ({"status": 302}, 302, ErrorClass.HTTP_3XX),
        ({"status": 404, "error_code": 1404}, 404, ErrorClass.HTTP_4XX),
        ({"status": 503, "error_code": 1503}, 503, ErrorClass.HTTP_5XX),
        ({"status": 0, "error_code": 1050}, None, ErrorClass.TIMEOUT),
        ({"status": 0, "error_code": 1211}, None, ErrorClass.TIMEOUT),
        ({"status": 0, "error_code": 1212}, None, ErrorClass.CONNECT),
        ({"status": 0, "error_code": 1101}, None, ErrorClass.CONNECT),
        ({"status": 0, "error_code": 1220}, None, ErrorClass.CLOSED),
        ({"status": 0, "error_code": 1000, "error": "unexpected EOF"}, None, ErrorClass.CLOSED),
        ({"status": 0, "error_code": 1000, "error": "malformed HTTP"}, None, ErrorClass.PROTOCOL),
    ],
)
def test_a_failure_is_told_by_its_class(
    tags: dict[str, object], status: int | None, error: ErrorClass | None
) -> None:
    [sample], _ = read(*request(ended_ns=1, **tags))
    assert (status, error) == (sample.status, sample.error)


def test_a_check_that_fails_is_a_wrong_body_of_the_request_before_it() -> None:
    samples, _ = read(
        *request(ended_ns=1),
        row("checks", 1),
        *request(ended_ns=2),
        row("checks", 0),
        row("iteration_duration", 3),
        row("checks", 0),
        *request(ended_ns=4, status=503),
        row("checks", 0),
    )
    assert [None, ErrorClass.WRONG_BODY, ErrorClass.HTTP_5XX] == [one.error for one in samples]


def test_a_failure_without_a_connection_has_the_time_the_script_saw() -> None:
    failed = request(ended_ns=10_000_000, status=0, error_code=1212)
    [sample], _ = read(*failed, row("loadproof_failed_after_ms", 4))
    assert 4_000_000 == sample.latency_ns


def test_warm_up_and_a_scripts_own_setup_are_no_samples_but_open_connections() -> None:
    samples, records = read(
        *request(ended_ns=1, connecting_ms=1, scenario=WARM_UP_SCENARIO),
        *request(ended_ns=1, connecting_ms=1, scenario=""),
    )
    assert [] == samples
    assert 2 == records.connections_opened


def test_what_was_due_and_never_started_is_counted() -> None:
    _, records = read(row("dropped_iterations", 1), row("dropped_iterations", 2))
    assert 3 == records.dropped_requests


def test_what_k6_was_writing_when_it_was_killed_is_no_sample() -> None:
    cut = request(ended_ns=1, user=2)
    samples, _ = read(*request(ended_ns=1), *cut[:3], ending=cut[3].encode())
    assert 1 == len(samples)


def test_a_host_is_read_from_the_address_or_is_the_name_that_a_script_gave() -> None:
    samples, _ = read(
        *request(ended_ns=1, url="http://foo.localhost:80/a?b"), *request(ended_ns=2, url="login")
    )
    assert ["foo.localhost", "login"] == [one.host for one in samples]


@pytest.mark.parametrize("name", ["http://[id]/x", "GET [users]"])
def test_a_name_that_is_no_address_is_kept_as_it_is(name: str) -> None:
    [sample], _ = read(*request(ended_ns=1, url=name))
    assert name == sample.host


def test_a_scenario_of_a_users_own_may_be_called_a_warm_up() -> None:
    samples, records = read(*request(ended_ns=1, scenario="warm_up"))
    assert [1, 1] == [len(samples), records.requests]
