"""Everything that keeps a run from starting, all at once."""

import json
from pathlib import Path
from typing import Any

import pytest

from loadtest import check as check_module
from loadtest.check import CheckError, check
from loadtest.errors import LoadTestError
from loadtest.exit_codes import ExitCode
from tests.integration.pipeline.conftest import CONTAINERS, Bench

FACTS: dict[str, Any] = {
    "problems": [],
    "cluster": {
        "provider": "kind",
        "name": "loadproof",
        "context": "kind-loadproof",
        "kubeconfig_path": ".kubeconfigs/ci/loadproof.yaml",
        "images": ["loadproof/node:v1", "envoy:1", "locust:1"],
    },
    "claims": ".kubeconfigs/ci",
}


def program_says(bench: Bench, facts: object) -> None:
    """Stands in for the program's own check, which has tests of its own."""
    folder = bench.root / "infra"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    (folder / "check.py").write_text(f"print({json.dumps(facts)!r})")


def test_a_machine_in_order_gives_the_facts(bench: Bench) -> None:
    program_says(bench, FACTS)
    facts = check(bench.root, "ci")
    assert facts.cluster
    assert facts.cluster.name == "loadproof"


def test_all_problems_are_told_at_once_and_the_worst_decides(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    program_says(bench, {**FACTS, "problems": ["planted config problem"]})
    bench.docker.answers({"ps": {"stdout": CONTAINERS}, "version": {"code": 1, "stderr": "planted engine"}})
    monkeypatch.setattr(check_module, "_DISK_FREE_MINIMUM_BYTES", 2**80)

    with pytest.raises(CheckError) as failure:
        check(bench.root, "ci")

    for expected in (
        "planted config problem",
        "planted engine",
        "GiB of disk are free",
        "loadproof-control-plane",
        "make destroy",
    ):
        assert expected in failure.value.message
    assert failure.value.exit_code is ExitCode.USAGE


def test_a_program_that_is_missing_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    program_says(bench, FACTS)
    Path(bench.kind.path).unlink()
    monkeypatch.setenv("PATH", str(bench.docker.folder) + ":" + str(bench.pulumi.folder))

    with pytest.raises(CheckError, match=r"not on the PATH: .*kind") as failure:
        check(bench.root, "ci")
    assert failure.value.exit_code is ExitCode.MACHINE


def test_images_that_the_engine_lacks_are_told_with_what_gets_them(bench: Bench) -> None:
    program_says(bench, FACTS)
    lacking = {
        "image inspect": {"code": 1, "stderr": "No such image"},
        "images --quiet loadproof": {"stdout": "a"},
    }
    bench.docker.answers({"ps": {}, "version": {"stdout": "26"}, **lacking, "images": {}})

    with pytest.raises(CheckError, match=r"does not have envoy:1, locust:1, .*\n.*make setup STACK=ci"):
        check(bench.root, "ci")


def test_where_no_image_is_missing_one_question_tells(bench: Bench) -> None:
    program_says(bench, FACTS)
    check(bench.root, "ci")
    (question,) = [call for call in bench.docker.asked() if "image" in call[0]]
    assert {"loadproof/node:v1", "envoy:1", "locust:1"} < set(question)


def test_leftovers_of_another_run_stop_this_one(bench: Bench) -> None:
    program_says(bench, FACTS)
    bench.docker.answers({"ps": {"stdout": CONTAINERS}, "version": {}, "images": {"stdout": "abc"}})

    with pytest.raises(CheckError, match="is there already"):
        check(bench.root, "ci")


LOCUST = {"engine": "locust", "profile": "users"}


def test_pods_that_only_a_flag_asks_for_would_have_no_image_in_a_cluster_of_ours(bench: Bench) -> None:
    program_says(bench, FACTS)
    with pytest.raises(CheckError, match="locust_workers is asked for by a flag alone") as told:
        check(bench.root, "ci", {**LOCUST, "locust_workers": 2})
    assert "load_locust_workers" in told.value.message
    assert told.value.exit_code is ExitCode.USAGE

    program_says(bench, {**FACTS, "load": {**LOCUST, "locust_workers": 1}})
    check(bench.root, "ci", {"locust_workers": 2})


def test_a_load_that_takes_more_open_files_than_the_limit_is_found_before_anything_is_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    program_says(bench, FACTS)
    monkeypatch.setattr("resource.getrlimit", lambda _: (100, 100))
    with pytest.raises(CheckError, match="a concurrency of 300 may need 364 open files") as told:
        check(bench.root, "ci", {"concurrency": 300})
    assert told.value.exit_code is ExitCode.MACHINE


@pytest.mark.parametrize(("flags", "asked"), [({}, False), ({"locust_workers": 2}, True)])
def test_pods_that_only_a_flag_asks_for_need_rights_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, flags: dict[str, object], asked: bool
) -> None:
    cluster = {**FACTS["cluster"], "provider": "existing", "stays": True, "namespace_prefix": "pr-1-"}
    program_says(bench, {**FACTS, "cluster": cluster, "load": {"engine": "locust", "profile": "users"}})
    seen: list[object] = []

    def problems(_: object, **named: object) -> list[LoadTestError]:
        seen.append(named["load_pods"])
        return []

    monkeypatch.setattr(check_module.existing, "problems", problems)
    check(bench.root, "ci", flags)
    assert seen == [asked]


KILL_LATE = {"at_s": 31, "action": "kill", "target": "app/foo"}
DELAY = {"at_s": 5, "action": "delay", "target": "ingress", "delay_ms": 20}


def test_chaos_that_the_load_is_too_short_for_is_told_and_a_flag_can_make_it_longer(bench: Bench) -> None:
    program_says(bench, {**FACTS, "chaos": [KILL_LATE], "load": {"profile": "constant_rate"}})
    with pytest.raises(CheckError, match="kill app/foo comes at 31 s, the load ends at 30 s") as told:
        check(bench.root, "ci")
    assert told.value.exit_code is ExitCode.USAGE
    check(bench.root, "ci", {"duration_s": 40.0})


def test_a_kernel_that_can_delay_nothing_is_told_before_anything_is_made(bench: Bench) -> None:
    cluster = {**FACTS["cluster"], "node_image": "loadproof/node:v1"}
    program_says(bench, {**FACTS, "cluster": cluster, "chaos": [DELAY]})
    (bench.docker.folder / "packetdelay").write_text("stands in for the program that delays")
    (bench.docker.folder / "packetdelay").chmod(0o755)
    there = {"image inspect": {"stdout": "abc"}, "images --quiet": {"stdout": "abc"}}
    sound = {"ps": {}, "version": {"stdout": "26"}, **there}
    bench.docker.answers({**sound, "run": {"code": 1, "stderr": "no packet can be held here"}})
    with pytest.raises(CheckError, match=r"nothing can be delayed .*: no packet can be held here") as told:
        check(bench.root, "ci")
    assert told.value.exit_code is ExitCode.MACHINE
    assert "CONFIG_NETFILTER_NETLINK_QUEUE" in told.value.message

    bench.docker.answers({**sound, "run": {"reads": True}})
    check(bench.root, "ci")
    assert "stands in for the program that delays" == bench.docker.told()


def test_where_the_nodes_image_is_missing_nothing_is_said_of_the_kernel(bench: Bench) -> None:
    cluster = {**FACTS["cluster"], "node_image": "loadproof/node:v1"}
    program_says(bench, {**FACTS, "cluster": cluster, "chaos": [DELAY]})
    missing = {"image inspect": {"code": 1}, "images --quiet": {}}
    bench.docker.answers({"ps": {}, "version": {"stdout": "26"}, **missing, "run": {"code": 125}})
    with pytest.raises(CheckError, match="does not have loadproof/node:v1") as told:
        check(bench.root, "ci")
    assert "delayed" not in told.value.message


def test_delays_take_a_program_that_set_up_gets(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = {**FACTS["cluster"], "node_image": "loadproof/node:v1"}
    program_says(bench, {**FACTS, "cluster": cluster, "chaos": [DELAY]})
    there = {"image inspect": {"stdout": "abc"}, "images --quiet": {"stdout": "abc"}}
    bench.docker.answers({"ps": {}, "version": {"stdout": "26"}, **there})
    programs = (bench.pulumi, bench.docker, bench.kind, bench.kubectl)
    monkeypatch.setenv("PATH", ":".join(str(one.folder) for one in programs))
    with pytest.raises(CheckError, match="the program 'packetdelay' is not on this machine"):
        check(bench.root, "ci")


def test_nobody_asks_the_kernel_where_nothing_is_to_be_delayed(bench: Bench) -> None:
    cluster = {**FACTS["cluster"], "node_image": "loadproof/node:v1"}
    program_says(bench, {**FACTS, "cluster": cluster, "chaos": [{**KILL_LATE, "at_s": 5}]})
    check(bench.root, "ci")
    assert not [call for call in bench.docker.asked() if call[0] == "run"]
