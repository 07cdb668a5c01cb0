"""What only the engine `k6` does: scripts of one's own, dropped requests, its own second try."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from loadtest.engines.k6.engine import K6Engine
from loadtest.errors import MachineError, UsageError
from loadtest.load_options import LoadOptions
from loadtest.load_run import LoadRun
from loadtest.plan import LoadPlan, Script
from loadtest.sample import ErrorClass, Sample
from tests.integration.engines.raw_server import Behaviour, Peer, raw_server
from tests.integration.engines.targets import target_at

BODIES = {"foo.localhost": b"foo\n", "bar.localhost": b"bar\n"}
PLAN = LoadOptions(engine="k6", requests=20, concurrency=2, timeout_s=1.0, warm_up_retries=0).plan()


async def sound(peer: Peer) -> None:
    while (host := await peer.request()) is not None:
        await peer.answer(BODIES[host])


def run(plan: LoadPlan, behaviour: Behaviour = sound) -> tuple[list[Sample], LoadRun, list[str]]:
    """Samples, what the load said of itself, and the hosts the server was asked for."""
    samples: list[Sample] = []
    with raw_server(behaviour) as server:
        load_run = K6Engine(warm_up_pause_s=0.01).run(
            plan, target_at(server.port, BODIES), samples.append, lambda: None
        )
        return samples, load_run, server.requests


def scripted(folder: Path, text: str, **asked: float) -> LoadPlan:
    file = folder / "mine.js"
    file.write_text(dedent(text))
    return replace(PLAN, profile=Script(script=str(file), **asked))  # type: ignore[arg-type]


OF_ONES_OWN = """
    import http from "k6/http";
    import { check } from "k6";

    export const options = {
      scenarios: { mine: { executor: "shared-iterations", vus: 2, iterations: 10, startTime: "0s" } },
      thresholds: { http_req_duration: ["max<0"] },
    };

    export function setup() {
      http.get("http://foo.localhost/");
    }

    export default function () {
      for (const app of JSON.parse(__ENV.LOADPROOF_APPS)) {
        const response = http.get(app.url);
        check(response, { "the app's own body": (one) => one.body.trim() === app.expected_body.trim() });
      }
    }
"""


def test_a_script_of_ones_own_decides_what_is_sent(tmp_path: Path) -> None:
    samples, load_run, asked = run(scripted(tmp_path, OF_ONES_OWN))
    assert Counter(sample.host for sample in samples) == {"foo.localhost": 10, "bar.localhost": 10}
    assert {(sample.status, sample.error) for sample in samples} == {(200, None)}
    assert len(asked) == len(BODIES) + 1 + len(samples), "warm-up and the script's own setup are no samples"
    assert load_run.generator.connections_opened == 5, "k6 keeps one for each name and user, and setup's"
    assert not load_run.generator.tells_intended_start


def test_a_check_of_ones_own_script_that_fails_is_a_wrong_body(tmp_path: Path) -> None:
    async def wrong_after_warm_up(peer: Peer) -> None:
        while (host := await peer.request()) is not None:
            first = peer.server.requests.count(host) == 1
            await peer.answer(BODIES[host] if first or host == "foo.localhost" else b"no")

    samples, _, _ = run(scripted(tmp_path, OF_ONES_OWN), wrong_after_warm_up)
    errors = Counter((sample.host, sample.error) for sample in samples)
    assert errors == {("foo.localhost", None): 10, ("bar.localhost", ErrorClass.WRONG_BODY): 10}


def test_users_and_duration_are_for_a_script_that_does_not_say(tmp_path: Path) -> None:
    text = """
        import http from "k6/http";
        import { sleep } from "k6";

        export default function () {
          http.get("http://foo.localhost/");
          sleep(0.1);
        }
    """
    samples, load_run, _ = run(scripted(tmp_path, text, users=3, duration_s=1))
    assert 15 <= len(samples) <= 30, "three users, ten requests a second each at most"
    assert load_run.generator.connections_opened == 3
    assert 0.7 < load_run.window.duration_s < 3.0


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("this is no script", 107, "Unexpected identifier"),
        ("export default function () {}\nthrow new Error('\\x1b[31mplanted')", 107, "planted"),
        ("export const options = { scenarios: { a: { executor: 'none' } } };", 104, "unknown executor"),
    ],
)
def test_a_script_that_fails_is_one_clear_error(tmp_path: Path, text: str, code: int, words: str) -> None:
    with pytest.raises(UsageError) as told:
        run(scripted(tmp_path, text))
    assert f"mine.js ended with exit code {code}" in told.value.message
    assert words in told.value.hint
    assert "\x1b" not in told.value.hint
    assert len(told.value.hint) < 11_000


def test_what_a_script_raises_while_it_runs_is_told(tmp_path: Path) -> None:
    text = """
        import http from "k6/http";

        export default function () {
          http.get("http://foo.localhost/");
          throw new Error("planted");
        }
    """
    samples, load_run, _ = run(scripted(tmp_path, text))
    assert len(samples) == 1
    [note] = load_run.generator.notes
    assert note.startswith("k6 reported errors, the last: ")
    assert "planted" in note


def test_what_was_due_and_found_no_client_is_told() -> None:
    async def stuck_in_the_window(peer: Peer) -> None:
        while (host := await peer.request()) is not None:
            if len(peer.server.requests) > len(BODIES) + 10:
                await asyncio.sleep(0.4)
            await peer.answer(BODIES[host])

    rate = {"rate_rps": 50, "duration_s": 1, "max_connections": 10}
    load = LoadOptions(engine="k6", profile="constant_rate", timeout_s=1, **rate)
    samples, load_run, _ = run(load.plan(), stuck_in_the_window)
    assert load_run.generator.dropped_requests > 0
    assert len(samples) + load_run.generator.dropped_requests == 50, "every one is accounted for"


def test_k6_tries_a_second_time_where_a_kept_connection_ends_before_the_answer() -> None:
    """Not as it should be, but as it is: the client of k6's language does so, and nothing turns it off."""

    async def ends_once(peer: Peer) -> None:
        while (host := await peer.request()) is not None:
            if len(peer.server.requests) == 15:
                peer.reset()
                return
            await peer.answer(BODIES[host])

    samples, _, asked = run(PLAN, ends_once)
    assert {sample.error for sample in samples} == {None}
    assert len(asked) == len(BODIES) + 2 + len(samples) + 1


def test_settings_that_lie_about_do_not_change_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"K6_VUS": "9", "K6_OUT": "json=x", "HTTP_PROXY": "http://127.0.0.1:1"}.items():
        monkeypatch.setenv(name, value)
    samples, load_run, _ = run(PLAN)
    assert Counter(sample.error for sample in samples) == {None: 20}
    assert load_run.generator.connections_opened == 2


def test_k6_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MachineError, match="'k6' is not on this machine"):
        run(PLAN)


def test_bodies_are_compared_byte_by_byte() -> None:
    bodies = {"foo.localhost": "föö".encode(), "bar.localhost": b"x" * 9_000 + "\N{NO-BREAK SPACE}".encode()}

    async def answers(peer: Peer) -> None:
        while (host := await peer.request()) is not None:
            await peer.answer(b" \r\n" + bodies[host] + b"\n\n")

    samples: list[Sample] = []
    with raw_server(answers) as server:
        K6Engine().run(PLAN, target_at(server.port, bodies), samples.append, lambda: None)
    assert Counter(sample.error for sample in samples) == {None: 20}
    assert {sample.body_bytes for sample in samples} == {len(body) + 5 for body in bodies.values()}


def test_a_script_that_sends_nothing_is_one_clear_error(tmp_path: Path) -> None:
    text = """
        import http from "k6/http";
        export function setup() { http.get("http://foo.localhost/"); }
        export default function () {}
    """
    with pytest.raises(UsageError, match=r"mine\.js sent no request"):
        run(scripted(tmp_path, text))
