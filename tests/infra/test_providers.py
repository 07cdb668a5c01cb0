"""Every source of clusters, and one that is added here by a class and a row: nothing else is asked of it."""

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from infra.clusters import PROVIDERS, Provider
from infra.clusters.contract import Cluster, ClusterArgs
from infra.needs import needs
from infra.outputs import export
from infra.stack import build
from infra.whereabouts import whereabouts
from tests.infra.configuration import ci_settings
from tests.infra.recording import Recording, record

OWN_SETTINGS: dict[str, dict[str, Any]] = {
    "existing": {"cluster_context": "staging", "namespace_prefix": "pr-1-"},
}


class Borrowed(pulumi.ComponentResource):
    """What the new file would hold."""

    provider: kubernetes.Provider
    kubernetes_version: pulumi.Output[str] | None = None
    lifetime: pulumi.Resource | None
    kubeconfig: pulumi.Output[str] | None = None

    def __init__(self, name: str, args: ClusterArgs) -> None:
        super().__init__("loadproof:clusters:Borrowed", name)
        self.provider = kubernetes.Provider(name, opts=pulumi.ResourceOptions(parent=self))
        self.lifetime = self.provider


def deployed(provider: str) -> Recording:
    settings = ci_settings(cluster_provider=provider, **OWN_SETTINGS.get(provider, {}))
    return record(lambda: export(build(settings)))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_all_that_is_in_a_cluster_is_made_by_its_own_provider(provider: str) -> None:
    _assert_made_by_the_clusters_provider(deployed(provider))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_state_keeps_where_the_stack_is_from_the_first_moment_on(provider: str) -> None:
    settings = ci_settings(cluster_provider=provider, **OWN_SETTINGS.get(provider, {}))
    [kept] = [
        outputs
        for component, outputs in deployed(provider).outputs.items()
        if component.startswith("loadproof:clusters:")
    ]
    expected = {name: value for name, value in whereabouts(settings).items() if value is not None}
    assert expected == {name: value for name, value in kept.items() if name != "server"}


def test_another_provider_is_one_class_and_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(name: str, args: ClusterArgs) -> Cluster:
        return Borrowed(name, args)

    monkeypatch.setitem(PROVIDERS, "borrowed", Provider(make=make, parts=("k6",)))  # type: ignore[misc]
    recorded = deployed("borrowed")
    _assert_made_by_the_clusters_provider(recorded)
    assert "borrowed" == recorded.exports["cluster"]["provider"]
    assert "kubeconfig" not in recorded.exports
    assert "k6" in needs(ci_settings(cluster_provider="borrowed")).parts


def _assert_made_by_the_clusters_provider(recorded: Recording) -> None:
    inside = [one for one in recorded.resources if one.type.startswith("kubernetes:")]
    assert inside
    assert {"cluster::cluster-id"} == {one.provider.rpartition("kubernetes::")[2] for one in inside}
