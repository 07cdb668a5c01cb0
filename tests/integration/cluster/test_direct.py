"""What is asked of an API server directly: one on loopback that wants a certificate, beside a kubectl."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadtest.cluster.direct import direct, list_paths
from loadtest.cluster.kubectl import ContainerLog, Kubectl
from loadtest.cluster.objects import Node, Pod, Workload
from loadtest.errors import UnhealthyError
from tests.certificates import certificate, server_context
from tests.integration.fake_program import FakeProgram
from tests.integration.loopback import Answer, Asked, LoopbackServer, Respond, loopback_server

SERVER, CLIENT, OTHER = certificate("127.0.0.1"), certificate("client"), certificate("127.0.0.1")
BY_KUBECTL = {"stdout": json.dumps({"items": [{"metadata": {"name": "by-kubectl"}}]})}
Document = dict[str, list[dict[str, object]]]


def listed(kind: str, *names: str) -> Answer:
    """As the API answers: what the items are is said once, of the list."""
    items = [{"metadata": {"name": name}} for name in names]
    return Answer(body=json.dumps({"kind": f"{kind}List", "items": items}).encode())


def address(server: LoopbackServer) -> str:
    return f"https://127.0.0.1:{server.port}"


@contextmanager
def api(folder: Path, respond: Respond) -> Iterator[LoopbackServer]:
    with loopback_server(respond, tls=server_context(folder, server=SERVER, client=CLIENT[0])) as server:
        yield server


def kubeconfig(
    folder: Path,
    server: str,
    *,
    authority: str = SERVER[0],
    client: tuple[str, str] = CLIENT,
    change: Callable[[Document], object] = lambda document: None,
) -> str:
    def data(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    cluster = {"server": server, "certificate-authority-data": data(authority)}
    user = {"client-certificate-data": data(client[0]), "client-key-data": data(client[1])}
    document: Document = {
        "clusters": [{"name": "own", "cluster": cluster}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "c", "context": {"cluster": "own", "user": "me"}}],
    }
    change(document)
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document))
    return str(path)


@pytest.fixture
def kubectl(program: FakeProgram) -> Kubectl:
    program.answers({"get": BY_KUBECTL})
    return Kubectl(kubeconfig_path=None, context="c", program=program.path)


def over(kubectl: Kubectl, path: str) -> Kubectl:
    return Kubectl(kubeconfig_path=path, context=kubectl.context, program=kubectl.program)


def test_a_list_is_asked_for_by_certificate_and_without_a_kubectl(
    tmp_path: Path, kubectl: Kubectl, program: FakeProgram
) -> None:
    with (
        api(tmp_path, lambda asked: listed("Pod", "a", "b")) as server,
        direct(over(kubectl, kubeconfig(tmp_path, address(server)))) as short,
    ):
        words = ("--namespace=apps", "--selector=app.kubernetes.io/name=foo")
        assert ["a", "b"] == [pod.metadata.name for pod in short.items(Pod, "pods", *words)]
    (asked,) = server.asked
    assert "/api/v1/namespaces/apps/pods" == asked.path
    assert {"labelSelector": "app.kubernetes.io/name=foo"} == asked.parameters
    assert [] == program.asked()


LOG = ContainerLog(namespace="ingress", pod="controller-1", container="controller", since_s=1)


def test_a_log_is_asked_for_as_well(tmp_path: Path, kubectl: Kubectl, program: FakeProgram) -> None:
    with (
        api(tmp_path, lambda asked: Answer(body=b"news \xff\n")) as server,
        direct(over(kubectl, kubeconfig(tmp_path, address(server)))) as short,
    ):
        assert "news \ufffd\n" == short.log(LOG)
    (asked,) = server.asked
    assert "/api/v1/namespaces/ingress/pods/controller-1/log" == asked.path
    assert {"container": "controller", "sinceSeconds": "1"} == asked.parameters
    assert [] == program.asked()


def test_a_log_that_is_refused_is_kubectls_to_explain(
    tmp_path: Path, kubectl: Kubectl, program: FakeProgram
) -> None:
    program.answers({"logs controller-1": {"code": 1, "stderr": "forbidden by planted rule"}})
    with (
        api(tmp_path, lambda asked: Answer(status=403)) as server,
        direct(over(kubectl, kubeconfig(tmp_path, address(server)))) as short,
        pytest.raises(UnhealthyError, match="forbidden by planted rule"),
    ):
        short.log(LOG)


def test_what_each_item_is_stands_in_it_as_kubectl_says_it(tmp_path: Path, kubectl: Kubectl) -> None:
    def respond(asked: Asked) -> Answer:
        return listed(
            {"deployments": "Deployment", "daemonsets": "DaemonSet"}[asked.path.split("/")[-1]], "x"
        )

    with (
        api(tmp_path, respond) as server,
        direct(over(kubectl, kubeconfig(tmp_path, address(server)))) as short,
    ):
        found = short.items(Workload, "deployments,daemonsets", "--all-namespaces")
    assert ["Deployment", "DaemonSet"] == [one.kind for one in found]


@pytest.mark.parametrize(
    "answer", [Answer(status=403, body=b"{}"), Answer(body=b"no JSON"), Answer(body=b"[]")], ids=repr
)
def test_whatever_does_not_go_the_plain_way_is_kubectls_to_do(
    tmp_path: Path, kubectl: Kubectl, answer: Answer
) -> None:
    with (
        api(tmp_path, lambda asked: answer) as server,
        direct(over(kubectl, kubeconfig(tmp_path, address(server)))) as short,
    ):
        assert ["by-kubectl"] == [one.metadata.name for one in short.items(Node, "nodes")]


def test_a_server_that_hangs_leaves_kubectl_half_of_the_time(
    tmp_path: Path, kubectl: Kubectl, program: FakeProgram
) -> None:
    program.answers({"get": {"stays_s": 30}})
    began_s = time.monotonic()
    with (
        api(tmp_path, lambda asked: Answer(delay_s=30)) as server,
        direct(over(kubectl, kubeconfig(tmp_path, address(server)))) as short,
        pytest.raises(UnhealthyError, match=r"gave no answer within 0\.[5-9] s"),
    ):
        short.items(Workload, "deployments,statefulsets,daemonsets", "--all-namespaces", timeout_s=1.0)
    assert time.monotonic() - began_s < 2


def test_a_server_that_is_gone_is_kubectls_to_explain(
    tmp_path: Path, kubectl: Kubectl, program: FakeProgram
) -> None:
    with api(tmp_path, lambda asked: listed("Node")) as server:
        path = kubeconfig(tmp_path, address(server))
    program.answers({"get": {"code": 1, "stderr": "connection refused"}})
    with direct(over(kubectl, path)) as short, pytest.raises(UnhealthyError, match="connection refused"):
        short.items(Node, "nodes")


@pytest.mark.parametrize("wrong", [{"authority": OTHER[0]}, {"client": OTHER}], ids=["server", "client"])
def test_nobody_is_spoken_to_who_is_not_who_the_kubeconfig_says(
    tmp_path: Path, kubectl: Kubectl, wrong: dict[str, object]
) -> None:
    with (
        api(tmp_path, lambda asked: listed("Node", "a")) as server,
        direct(over(kubectl, kubeconfig(tmp_path, address(server), **wrong))) as short,  # type: ignore[arg-type]
    ):
        assert ["by-kubectl"] == [one.metadata.name for one in short.items(Node, "nodes")]
    assert [] == server.asked


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["clusters"][0]["cluster"].update(server="https://10.1.1.1:6443"),
        lambda config: config["clusters"][0]["cluster"].update(server="http://127.0.0.1:1"),
        lambda config: config["clusters"][0]["cluster"].update(server="https://kubernetes.example:6443"),
        lambda config: config["clusters"][0]["cluster"].update({"proxy-url": "http://127.0.0.1:1"}),
        lambda config: config["clusters"][0]["cluster"].update({"insecure-skip-tls-verify": True}),
        lambda config: config["clusters"][0]["cluster"].update({"certificate-authority-data": "%"}),
        lambda config: config["clusters"][0]["cluster"].update({"certificate-authority-data": ""}),
        lambda config: config["clusters"][0]["cluster"].update({"certificate-authority-data": "AAAA"}),
        lambda config: config["users"][0].update(user={"token": "secret"}),
        lambda config: config["users"][0]["user"].update({"as": "another"}),
        lambda config: config["users"][0]["user"].update({"client-key-data": "AAAA"}),
        lambda config: config["contexts"].clear(),
        lambda config: config["contexts"][0].update(name="other"),
        lambda config: config.pop("users"),
    ],
)
def test_a_way_that_takes_more_than_a_certificate_on_this_machine_is_left_to_kubectl(
    tmp_path: Path, kubectl: Kubectl, change: Callable[[Document], object]
) -> None:
    asked = over(kubectl, kubeconfig(tmp_path, "https://127.0.0.1:1", change=change))
    with direct(asked) as same:
        assert same is asked


@pytest.mark.parametrize("text", [None, "", "{", "a: [", "[]"])
def test_a_kubeconfig_that_says_nothing_is_left_to_kubectl(
    tmp_path: Path, kubectl: Kubectl, text: str | None
) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    for one in (kubectl, over(kubectl, str(path))):
        with direct(one) as same:
            assert same is one


def test_no_key_is_left_on_the_disk(
    tmp_path: Path, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(own))
    asked = over(kubectl, kubeconfig(tmp_path, "https://127.0.0.1:1"))
    with direct(asked) as short:
        assert short is not asked
        assert [] == list(own.iterdir())


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        ("nodes", ["/api/v1/nodes"]),
        ("pods --all-namespaces", ["/api/v1/pods"]),
        ("pods --namespace=a --selector=b=c,d", ["/api/v1/namespaces/a/pods?labelSelector=b%3Dc%2Cd"]),
        (
            "deployments,daemonsets --namespace=a",
            ["/apis/apps/v1/namespaces/a/deployments", "/apis/apps/v1/namespaces/a/daemonsets"],
        ),
        ("horizontalpodautoscalers --all-namespaces", ["/apis/autoscaling/v2/horizontalpodautoscalers"]),
        ("pods", None),
        ("pods --namespace a", None),
        ("pods --namespace=", None),
        ("pods --all-namespaces --field-selector=x", None),
        ("secrets --all-namespaces", None),
    ],
)
def test_what_words_ask_for(words: str, paths: list[str] | None) -> None:
    assert paths == list_paths(words.split())
