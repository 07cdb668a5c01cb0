"""The command that makes and deletes the cluster: never another's, and never half of one left behind."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from infra.clusters import kind_command
from infra.clusters.kind_command import TRANSIENT, CommandError, thaw
from tests.certificates import certificate, server_context
from tests.infra.fake_kind import FakeMachine, fake_machine
from tests.integration.loopback import Answer, Asked, LoopbackServer, loopback_server
from tests.waiting import comes_true, runs

PORT_TAKEN = "ERROR: failed to create cluster: Bind for 127.0.0.1:80 failed: port is already allocated"
STARTED_SLOWLY = 'ERROR: failed to create cluster: could not find a log line that matches "Reached target"'
KILLED = (
    'ERROR: failed to create cluster: failed to init node with kubeadm: command "docker exec --privileged '
    'x-control-plane kubeadm init --skip-phases=preflight" failed with error: exit status 137'
)


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return fake_machine(tmp_path)


def start(machine: FakeMachine, verb: str, stdout_before: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, kind_command.__file__, verb],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **machine.environment, "PULUMI_COMMAND_STDOUT": stdout_before},
    )


@contextmanager
def being_made(machine: FakeMachine) -> Iterator[subprocess.Popen[str]]:
    """The creation of a cluster that has its nodes, and would never be done."""
    machine.fails_with("hang")
    with start(machine, "create") as process:
        assert process.stdin
        process.stdin.close()
        assert comes_true(lambda: bool(machine.nodes))
        yield process


def run(machine: FakeMachine, verb: str, stdout_before: str = "") -> tuple[int, str, str]:
    with start(machine, verb, stdout_before) as process:
        stdout, stderr = process.communicate('{"kind": "Cluster"}', timeout=30)
    return process.returncode, stdout, stderr


def made_of(*nodes: str) -> str:
    return json.dumps({"kubernetes": "1.2.3", "nodes": nodes})


def forbidden(*_: object, **__: object) -> NoReturn:
    raise PermissionError(errno.EACCES, "Permission denied", "somewhere")


def test_a_cluster_is_made_from_the_config_on_stdin_and_told_by_its_nodes(machine: FakeMachine) -> None:
    code, stdout, stderr = run(machine, "create")
    assert (0, {"kubernetes": "1.2.3", "nodes": machine.nodes}) == (code, json.loads(stdout or "{}")), stderr
    (call,) = machine.asked()
    assert '{"kind": "Cluster"}' == call["config"]
    assert "secret" not in stdout + stderr


def test_the_kubeconfig_is_its_owners_alone_from_before_the_first_container(machine: FakeMachine) -> None:
    run(machine, "create")
    (call,) = machine.asked()
    assert "0o600" == call["claim"]
    assert 0o600 == machine.kubeconfig.stat().st_mode & 0o777


def test_a_foreign_cluster_of_the_same_name_is_an_error_and_is_left_alone(machine: FakeMachine) -> None:
    machine.has_cluster_of("theirs")
    code, stdout, stderr = run(machine, "create")
    assert (1, "") == (code, stdout)
    assert "a KinD cluster named x exists and is not this stack's" in stderr
    assert "kind delete cluster --name x" in stderr
    assert ([], ["theirs"]) == (machine.asked(), machine.nodes)


def test_what_a_killed_creation_left_is_told_from_a_foreign_cluster(machine: FakeMachine) -> None:
    with being_made(machine) as process:
        process.kill()
    os.kill(int(str(machine.asked()[0]["pid"])), signal.SIGKILL)
    half_made = machine.nodes
    code, _, stderr = run(machine, "create")
    assert (1, half_made) == (code, machine.nodes)
    assert "`python -m loadtest destroy --stack <stack>` removes it" in stderr
    assert "not this stack's" not in stderr


def test_a_failure_that_passes_is_tried_again_without_the_half_made_cluster(machine: FakeMachine) -> None:
    machine.fails_with(STARTED_SLOWLY)
    code, stdout, stderr = run(machine, "create")
    assert (0, {"kubernetes": "1.2.3", "nodes": machine.nodes}) == (code, json.loads(stdout or "{}")), stderr
    assert ["kind create cluster", "kind delete cluster", "kind create cluster"] == machine.asked_for()
    assert ["0o600", "0o600"] == [call["claim"] for call in machine.asked() if "claim" in call]


def test_a_failure_that_stays_is_not_tried_again_and_leaves_its_logs_alone(machine: FakeMachine) -> None:
    machine.fails_with(PORT_TAKEN)
    code, _, stderr = run(machine, "create")
    assert 1 == code
    assert PORT_TAKEN in stderr, "the reason comes first-hand"
    assert ["kind create cluster", "kind export logs", "kind delete cluster"] == machine.asked_for()
    assert ([], False) == (machine.nodes, machine.kubeconfig.exists())


def test_a_failure_that_does_not_pass_ends_after_the_last_attempt(machine: FakeMachine) -> None:
    machine.fails_with(*[KILLED] * 10)
    code, _, _ = run(machine, "create")
    assert (1, kind_command.ATTEMPTS) == (code, machine.asked_for().count("kind create cluster"))
    assert [] == machine.nodes


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_creation_leaves_nothing_behind(machine: FakeMachine, number: signal.Signals) -> None:
    with being_made(machine) as process:
        process.send_signal(number)
        assert 128 + number == process.wait(timeout=20)
    assert ([], False) == (machine.nodes, machine.kubeconfig.exists())
    kind_process_id = int(str(machine.asked()[0]["pid"]))
    with pytest.raises(ProcessLookupError):
        os.kill(kind_process_id, 0)


def test_the_cluster_that_was_made_is_deleted(machine: FakeMachine) -> None:
    _, made, _ = run(machine, "create")
    code, _, stderr = run(machine, "delete", stdout_before=made)
    assert (0, [], False) == (code, machine.nodes, machine.kubeconfig.exists()), stderr


def test_a_cluster_that_lost_a_node_is_deleted_too(machine: FakeMachine) -> None:
    machine.has_cluster_of("one")
    assert 0 == run(machine, "delete", stdout_before=made_of("one", "two"))[0]
    assert [] == machine.nodes


def test_a_container_that_does_not_end_at_once_is_asked_again(machine: FakeMachine) -> None:
    machine.has_cluster_of("ours")
    machine.deletion_fails(times=1)
    assert 0 == run(machine, "delete", stdout_before=made_of("ours"))[0]
    assert [] == machine.nodes


def test_a_deletion_that_is_said_to_have_worked_is_looked_at(machine: FakeMachine) -> None:
    run(machine, "create")
    machine.deletion_fails(times=10, quietly=True)
    code, _, stderr = run(machine, "delete")
    assert 1 == code
    assert "the cluster x could not be deleted" in stderr
    assert machine.kubeconfig.exists(), "its nodes are there still"


def test_what_a_killed_node_left_frozen_is_let_go_and_nothing_else(tmp_path: Path) -> None:
    def state(node: str, pod: str, is_now: str) -> Path:
        file = tmp_path / "docker" / node / "kubelet.slice" / pod / "freezer.state"
        file.parent.mkdir(parents=True)
        file.write_text(f"{is_now}\n")
        return file

    frozen, thawed = state("ours", "a", "FROZEN"), state("ours", "b", "THAWED")
    theirs = state("theirs", "a", "FROZEN")
    thaw(["ours"], freezer=tmp_path)
    assert ["THAWED", "THAWED\n", "FROZEN\n"] == [one.read_text() for one in (frozen, thawed, theirs)]


def test_what_goes_by_itself_meanwhile_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is read as it goes, and whole folders: this is done while they are all taken away."""
    scan, plain = os.scandir, Path.read_text
    for node in ("read", "walked", "ours"):
        for folder in (tmp_path / "docker" / node, tmp_path / "docker" / node / "pod"):
            folder.mkdir(parents=True)
            (folder / "freezer.state").write_text("FROZEN\n")

    def scanned(folder: str | Path) -> Iterator[os.DirEntry[str]]:
        if str(folder).endswith("walked/pod"):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(folder))
        return scan(folder)

    def read(file: Path) -> str:
        if "read" in file.parts:
            raise OSError(errno.ENODEV, "No such device", str(file))
        return plain(file)

    monkeypatch.setattr(os, "scandir", scanned)
    monkeypatch.setattr(Path, "read_text", read)
    thaw(["read", "walked", "ours", "never there"], freezer=tmp_path)
    thawed = [file.read_text() for file in (tmp_path / "docker" / "ours").rglob("freezer.state")]
    assert ["THAWED", "THAWED"] == thawed


def test_a_stopped_deletion_takes_its_kind_with_it(machine: FakeMachine) -> None:
    run(machine, "create")
    machine.never_ends_deleting()
    with start(machine, "delete") as process:
        assert comes_true(lambda: machine.is_deleting)
        process.send_signal(signal.SIGTERM)
        assert 128 + signal.SIGTERM == process.wait(timeout=20)
    kind_process_id = int(str(machine.asked()[-1]["pid"]))
    assert comes_true(lambda: not runs(kind_process_id))


def test_an_engine_that_does_not_tell_of_nodes_is_no_reason_not_to_try_to_delete_them(
    machine: FakeMachine,
) -> None:
    with being_made(machine) as process:
        machine.engine_is_down()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
    assert "kind delete cluster" in machine.asked_for()


def test_a_deletion_that_takes_long_is_not_waited_for_before_what_is_frozen_is_let_go(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The container engine would give up after ten seconds."""
    run(machine, "create")
    machine.takes_its_time_to_delete()
    nodes, thawed = machine.nodes, []

    def noted(nodes: list[str]) -> None:
        thawed.append((nodes, machine.is_deleting))
        raise CommandError("may not be written to")

    monkeypatch.setattr(kind_command, "_THAW_EVERY_S", 0.1)
    monkeypatch.setattr(kind_command, "thaw", noted)
    monkeypatch.setenv("PATH", str(machine.folder))
    kind_command.cluster_of(machine.environment).delete(made=nodes)
    assert (nodes, True) in thawed
    assert [] == machine.nodes


def test_what_may_not_be_thawed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "docker" / "ours" / "freezer.state"
    file.parent.mkdir(parents=True)
    file.write_text("FROZEN\n")
    # Not by the file's mode: the tests' user may be root, whom it does not stop.
    monkeypatch.setattr(Path, "write_text", forbidden)
    with pytest.raises(CommandError, match=r"freezer\.state may not be written to: what is frozen there"):
        thaw(["ours"], freezer=tmp_path)


def test_another_file_that_may_not_be_used_is_not_called_frozen(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for key, value in machine.environment.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(subprocess, "run", forbidden)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the tests' own handlers stay
    assert 1 == kind_command.main("delete")
    told = capsys.readouterr().err
    assert "somewhere may not be used by this user" in told
    assert "frozen" not in told


def test_a_cluster_that_cannot_be_deleted_is_told_and_stays_claimed(machine: FakeMachine) -> None:
    run(machine, "create")
    machine.deletion_fails(times=10)
    code, _, stderr = run(machine, "delete")
    assert 1 == code
    assert "try `kind delete cluster --name x`" in stderr
    assert machine.kubeconfig.exists(), "whoever cleans up next has to know whose the cluster is"


def test_another_cluster_that_took_the_name_meanwhile_is_left_alone(machine: FakeMachine) -> None:
    machine.has_cluster_of("theirs")
    code, _, stderr = run(machine, "delete", stdout_before=made_of("ours"))
    assert (0, ["theirs"]) == (code, machine.nodes)
    assert "is not the one this stack made" in stderr


def test_a_second_signal_does_not_stop_the_cleaning_up(machine: FakeMachine) -> None:
    with being_made(machine) as process:
        process.send_signal(signal.SIGTERM)
        while process.poll() is None:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.01)
    assert [] == machine.nodes


# As kubeadm writes it: the server by its name among the nodes, which is not known on this machine.
KUBECONFIG = """apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {authority}
    server: https://x-control-plane:6443
  name: x
current-context: kubernetes-admin@x
users:
- name: kubernetes-admin
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
"""


SERVER, CLIENT, OTHER = certificate("127.0.0.1"), certificate("client"), certificate("127.0.0.1")


def admin_conf(*, authority: str = SERVER[0], client: tuple[str, str] = CLIENT) -> str:
    ours, theirs, key = (b64encode(one.encode()).decode() for one in (authority, *client))
    return KUBECONFIG.format(authority=ours, certificate=theirs, key=key)


@contextmanager
def api_of(machine: FakeMachine, kubeconfig: str) -> Iterator[LoopbackServer]:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/openapi/v2":
            machine.schema_was_asked_for()
        return Answer(body=b"which nobody reads")

    tls = server_context(machine.folder, server=SERVER, client=CLIENT[0])
    with loopback_server(answer, tls=tls) as server:
        machine.has_an_api_at(server.port, kubeconfig)
        yield server


def test_what_can_be_asked_while_other_nodes_join_is(machine: FakeMachine) -> None:
    machine.takes_its_time_to_join()
    with api_of(machine, admin_conf()) as server:
        code, stdout, stderr = run(machine, "create")
    assert (0, {"kubernetes": "1.2.3", "nodes": machine.nodes}) == (code, json.loads(stdout or "{}")), stderr
    assert machine.version_was_told_before_all_joined
    scaled, asked = server.asked
    assert ("PATCH", "/apis/apps/v1/namespaces/kube-system/deployments/coredns/scale") == (
        scaled.method,
        scaled.path,
    )
    assert ({"spec": {"replicas": 1}}, "application/merge-patch+json") == (
        json.loads(scaled.body),
        scaled.headers["Content-Type"],
    )
    # As the Kubernetes plugin asks, by client-go: what was made in another form would be for nothing.
    form = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    assert ("/openapi/v2", form) == (asked.path, asked.headers["Accept"])
    assert CLIENT[1].splitlines()[1] not in stdout + stderr


@pytest.mark.parametrize(
    "kubeconfig",
    [
        "",
        "users: []",
        admin_conf(authority="no certificate"),
        admin_conf(client=("no certificate", "and no key")),
        admin_conf(authority=OTHER[0]),
        admin_conf(client=OTHER),
        admin_conf().replace("client-key-data", "tokenFile"),
    ],
)
def test_an_api_that_cannot_be_asked_is_the_stacks_to_wait_for(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, kubeconfig: str
) -> None:
    monkeypatch.setenv("PATH", str(machine.folder))
    with api_of(machine, kubeconfig) as server:
        kind_command.begin_early(kubeconfig)
    assert [] == server.asked


def test_an_api_that_is_not_published_is_not_asked(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(machine.folder))
    kind_command.begin_early(admin_conf())
    with api_of(machine, admin_conf()) as server:
        (machine.folder / "api-port").write_text("")
        kind_command.begin_early(admin_conf())
        assert [] == server.asked
        (machine.folder / "api-port").write_text(f"127.0.0.1:{server.port}")
        kind_command.begin_early(admin_conf())
        assert server.asked


def test_what_was_made_is_told_by_a_kind_that_says_nothing_of_its_steps_as_well(machine: FakeMachine) -> None:
    machine.says_nothing_of_its_steps()
    code, stdout, stderr = run(machine, "create")
    assert (0, {"kubernetes": "1.2.3", "nodes": machine.nodes}) == (code, json.loads(stdout or "{}")), stderr
    assert not machine.version_was_told_before_all_joined


def test_a_question_that_fails_while_nodes_join_is_asked_again_and_costs_no_cluster(
    machine: FakeMachine,
) -> None:
    machine.takes_its_time_to_join()
    machine.is_short_of_memory_while_nodes_join()
    code, stdout, stderr = run(machine, "create")
    assert (0, {"kubernetes": "1.2.3", "nodes": machine.nodes}) == (code, json.loads(stdout or "{}")), stderr
    assert ["kind create cluster"] == machine.asked_for()


def test_a_deletion_that_never_ends_holds_up_another_for_a_while_only(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(machine, "create")
    monkeypatch.setattr(kind_command, "_OTHER_DELETION_S", 0.2)
    monkeypatch.setenv("PATH", str(machine.folder))
    folder = os.open(machine.kubeconfig.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        kind_command.cluster_of(machine.environment).delete(made=machine.nodes)
    finally:
        os.close(folder)
    assert [] == machine.nodes


def test_of_two_deletions_at_once_one_waits_for_the_other(machine: FakeMachine) -> None:
    run(machine, "create")
    machine.takes_its_time_to_delete()
    with start(machine, "delete") as first, start(machine, "delete") as second:
        told = [one.communicate(timeout=20)[1] for one in (first, second)]
    assert [0, 0] == [first.returncode, second.returncode], told
    assert 1 == machine.asked_for().count("kind delete cluster"), "the other finds nothing left to delete"
    assert ([], False) == (machine.nodes, machine.kubeconfig.exists())


def test_a_missing_program_is_named_with_what_puts_it_there(machine: FakeMachine) -> None:
    (machine.folder / "kind").unlink()
    machine.has_cluster_of("ours")
    code, _, stderr = run(machine, "delete")
    assert 1 == code
    assert "kind is not to be found: `make setup`" in stderr


def test_a_cluster_that_is_gone_already_is_no_error(machine: FakeMachine) -> None:
    assert 0 == run(machine, "delete", stdout_before=made_of("ours"))[0]


@pytest.mark.parametrize("verb", ["create", "delete"])
def test_an_engine_that_does_not_answer_is_named(machine: FakeMachine, verb: str) -> None:
    machine.engine_is_down()
    code, _, stderr = run(machine, verb, stdout_before=made_of("ours"))
    assert 1 == code
    assert "the container engine does not answer" in stderr
    assert [] == machine.asked()


@pytest.mark.parametrize("said", [STARTED_SLOWLY, KILLED])
def test_what_a_slow_machine_says_passes(said: str) -> None:
    assert TRANSIENT.search(said)


@pytest.mark.parametrize(
    "said",
    [
        PORT_TAKEN,
        'ERROR: failed to create cluster: failed to pull image "loadproof/node:v0": not found',
        "ERROR: failed to create cluster: running kind with rootless provider requires cgroup v2",
        'ERROR: failed to create cluster: node(s) already exist for a cluster with the name "x"',
        'failed to init node with kubeadm: command "kubeadm init" failed with error: exit status 1',
    ],
)
def test_what_is_wrong_for_good_does_not_pass(said: str) -> None:
    assert not TRANSIENT.search(said)
