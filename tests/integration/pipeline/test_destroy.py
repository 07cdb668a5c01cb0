"""Taking down, whatever state things are in: each of the bad cases, with programs that fail as told."""

import json
import threading
from dataclasses import replace

import pytest

from loadtest.destroy import destroy
from loadtest.errors import CleanupError, UsageError
from loadtest.exit_codes import ExitCode
from loadtest.pulumi_cli import PulumiStack
from loadtest.stack_facts import ClusterFacts, StackFacts
from tests.integration.pipeline.conftest import CONTAINERS, NEVER_BEGUN, Bench
from tests.waiting import comes_true

SERVER = "https://10.1.1.1:6443"
CLUSTER = ClusterFacts(
    provider="kind",
    name="loadproof",
    context="kind-loadproof",
    kubeconfig_path=".kubeconfigs/ci/loadproof.yaml",
)


def facts_of(bench: Bench) -> StackFacts:
    return StackFacts(problems=(), cluster=CLUSTER, claims=str(bench.kubeconfig.parent))


def take_down(bench: Bench, facts: StackFacts | None = None) -> tuple[str, ...]:
    stack = PulumiStack(project=bench.root, stack="ci", logs=bench.root / "logs")
    return destroy(stack, facts or facts_of(bench), lambda text: None)


def knows_what_it_made(bench: Bench, *nodes: str, destroy: dict[str, object] | None = None) -> None:
    """Pulumi does, of the command that made the cluster."""
    made = {"stdout": json.dumps({"kubernetes": "1.2.3", "nodes": nodes})}
    commands = [{"type": "command:local:Command", "outputs": one} for one in ({"stdout": "text"}, {}, made)]
    export = json.dumps({"deployment": {"resources": commands}})
    bench.pulumi.answers({"stack export": {"stdout": export}, "destroy": destroy or {}, "": {}})


def asked(bench: Bench) -> list[str]:
    return [" ".join(arguments[:2]) for arguments in bench.pulumi.asked()]


def test_the_plain_way_takes_a_look_at_the_state_one_command_and_no_words(bench: Bench) -> None:
    bench.kubeconfig.touch()

    assert take_down(bench) == ()
    assert asked(bench) == ["stack export", "destroy --yes"]
    assert bench.kind.asked() == []
    assert not bench.kubeconfig.exists()


def test_nodes_that_the_stack_made_go_while_pulumi_is_still_at_it(bench: Bench) -> None:
    knows_what_it_made(bench, "f00d", "beef", destroy={"stays_s": 1.0})
    bench.docker.answers({"ps": {"stdout": "f00d\n"}})
    deleting = threading.Thread(target=take_down, args=[bench])
    deleting.start()
    assert comes_true(lambda: len(bench.kind.asked()) > 0)
    assert deleting.is_alive()
    deleting.join()
    assert bench.kind.asked()[0][:4] == ["delete", "cluster", "--name", "loadproof"]


def test_a_cluster_that_came_after_the_one_its_state_names_is_deleted_by_its_name(bench: Bench) -> None:
    """The config was changed, and Pulumi killed before it wrote down what it had made."""
    kubeconfig = str(bench.kubeconfig.with_name("earlier.yaml"))
    earlier = {"provider": "kind", "stays": False, "name": "earlier", "context": "kind-earlier"}
    resources = [
        {"type": "loadproof:clusters:KindCluster", "outputs": {**earlier, "kubeconfig_path": kubeconfig}},
        {"type": "command:local:Command", "outputs": {"stdout": json.dumps({"nodes": ["f00d"]})}},
    ]
    export = json.dumps({"deployment": {"resources": resources}})
    bench.pulumi.answers({"stack export": {"stdout": export}, "": {}})
    bench.kubeconfig.touch()
    copy = bench.root / ".toolchain" / "tmp" / "kubeconfig1"
    copy.parent.mkdir(parents=True)
    copy.write_text("current-context: kind-loadproof\n")
    bench.docker.answers({"cluster=earlier": {}, "cluster=loadproof": {"stdout": "beef\n"}})
    with pytest.raises(CleanupError, match="could not be deleted"):  # docker goes on naming its node
        take_down(bench)
    assert bench.kind.asked()[0][:4] == ["delete", "cluster", "--name", "loadproof"]
    assert bench.kubeconfig.exists(), "what is still there stays claimed"
    bench.docker.answers({"": {}})
    take_down(bench)
    assert not bench.kubeconfig.exists()
    assert not copy.exists()


def test_nodes_that_it_did_not_make_get_no_head_start(bench: Bench) -> None:
    knows_what_it_made(bench, "f00d")
    bench.docker.answers({"ps": {"stdout": "another\n"}})
    notes = take_down(bench)
    assert bench.kind.asked() == []
    assert "not made by this stack" in notes[0]


def test_a_head_start_that_fails_is_left_to_pulumi(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    knows_what_it_made(bench, "f00d")
    (bench.root / "infra" / "clusters" / "kind_command.py").write_text("raise SystemExit('planted')")
    assert take_down(bench) == ()
    assert asked(bench) == ["stack export", "destroy --yes"]
    assert "left to Pulumi" in caplog.text


def test_a_cluster_pulumi_does_not_know_of_is_deleted_by_its_name(bench: Bench) -> None:
    bench.kubeconfig.touch()
    # Still there whatever kind is asked.
    bench.docker.answers({"ps": {"stdout": CONTAINERS}})
    with pytest.raises(CleanupError, match="could not be deleted by its name"):
        take_down(bench)
    assert bench.kind.asked()[0][:4] == ["delete", "cluster", "--name", "loadproof"]


def test_a_cluster_that_was_not_made_from_here_is_left_alone(bench: Bench) -> None:
    bench.docker.answers({"ps": {"stdout": CONTAINERS}})

    notes = take_down(bench)

    assert bench.kind.asked() == []
    assert "not made by this stack" in notes[0]


def test_a_cluster_that_another_stack_of_this_clone_made_is_left_alone(bench: Bench) -> None:
    bench.kubeconfig.touch()
    bench.docker.answers({"ps": {"stdout": CONTAINERS}})

    notes = take_down(bench, replace(facts_of(bench), claims=str(bench.root / ".kubeconfigs" / "other")))

    assert bench.kind.asked() == []
    assert "not made by this stack" in notes[0]
    assert bench.kubeconfig.exists()


def test_a_cluster_begun_under_an_earlier_name_is_deleted_too(bench: Bench) -> None:
    earlier = bench.kubeconfig.with_name("earlier.yaml")
    earlier.touch()
    bench.docker.answers({"ps": {"stdout": "earlier-control-plane\n"}})

    with pytest.raises(CleanupError, match="the cluster earlier could not be deleted"):
        take_down(bench)

    assert {arguments[3] for arguments in bench.kind.asked()} == {"earlier"}
    assert earlier.exists(), "what is still there stays claimed"


def test_a_failing_pulumi_ends_with_an_empty_state_all_the_same(bench: Bench) -> None:
    bench.pulumi.answers({"destroy": {"code": 255, "stdout": "Diagnostics:\n  planted\n"}, "": {}})

    notes = take_down(bench)

    assert asked(bench) == ["stack export", "destroy --yes", "cancel --yes", "state delete"]
    assert "planted" in notes[0]


def test_a_stack_whose_state_was_never_begun_has_nothing_to_take_down(bench: Bench) -> None:
    bench.pulumi.answers(NEVER_BEGUN)

    assert take_down(bench) == ()
    assert asked(bench) == ["stack export", "destroy --yes"]


def test_a_state_is_never_thrown_away_while_its_cluster_may_be_there(bench: Bench) -> None:
    bench.pulumi.answers({"destroy": {"code": 255, "stdout": "Diagnostics:\n  planted\n"}, "": {}})
    bench.docker.answers({"ps": {"stdout": CONTAINERS}})

    with pytest.raises(CleanupError, match="state is kept"):
        take_down(bench)

    assert "state delete" not in asked(bench)


def test_with_a_config_nobody_can_read_a_state_is_not_thrown_away(bench: Bench) -> None:
    bench.pulumi.answers({"destroy": {"code": 255}, "": {}})

    with pytest.raises(CleanupError, match="state is kept"):
        take_down(bench, replace(facts_of(bench), cluster=None))

    assert "state delete" not in asked(bench)


def test_the_state_of_a_cluster_that_nobody_here_can_look_for_is_not_thrown_away(bench: Bench) -> None:
    bench.pulumi.answers({"destroy": {"code": 255}, "": {}})

    with pytest.raises(CleanupError, match="state is kept"):
        take_down(bench, replace(facts_of(bench), cluster=replace(CLUSTER, provider="another")))

    assert "state delete" not in asked(bench)


def test_a_stale_lock_is_released_and_the_plain_way_tried_again(bench: Bench) -> None:
    locked = "error: the stack is currently locked by 1 lock(s).\n"
    bench.pulumi.answers({"destroy": {"code": 255, "stdout": locked}, "": {}})

    take_down(bench)

    assert asked(bench)[:4] == ["stack export", "destroy --yes", "cancel --yes", "destroy --yes"]


def test_a_complaint_that_only_sounds_like_a_lock_is_none(bench: Bench) -> None:
    bench.pulumi.answers({"destroy": {"code": 255, "stdout": "error: blocked by a firewall\n"}, "": {}})

    take_down(bench)

    assert asked(bench) == ["stack export", "destroy --yes", "cancel --yes", "state delete"]


def deployed_to(provider: str, **whereabouts: object) -> dict[str, object]:
    """As a cluster's component keeps in the state where the stack is."""
    plain = {"provider": provider, "stays": provider == "existing", "name": "loadproof", "selector": ""}
    return {"type": f"loadproof:clusters:{provider}", "outputs": {**plain, **whereabouts}}


class TestWithAConfigThatHasChangedSinceTheDeployment:
    """It is taken out of where it is, not of where it would be today."""

    SELECTOR = "loadproof/prefix=pr-1"

    def state_is(self, bench: Bench, cluster: object, *, destroy: dict[str, object]) -> None:
        state = json.dumps({"deployment": {"resources": [{"type": "pulumi:pulumi:Stack"}, cluster]}})
        bench.pulumi.answers({"export": {"stdout": state}, "destroy": destroy, "": {}})

    def staging_answers(self, bench: Bench, *left: str) -> None:
        bench.kubectl.answers(
            {
                "get-contexts": {"stdout": "staging\n"},
                "get --raw /version": {"stdout": "{}"},
                "get namespaces": {"stdout": "\n".join(left)},
                "": {},
            }
        )

    def today(self, bench: Bench, **cluster: object) -> StackFacts:
        return replace(facts_of(bench), cluster=replace(CLUSTER, **cluster))

    def test_the_context_and_the_label_are_those_of_then(self, bench: Bench) -> None:
        then = deployed_to("existing", context="staging", selector=self.SELECTOR)
        self.state_is(bench, then, destroy={"code": 255})
        self.staging_answers(bench, "namespace/pr-1-apps")
        today = self.today(
            bench, provider="existing", stays=True, context="other", selector="loadproof/prefix=pr-2"
        )
        with pytest.raises(CleanupError, match="namespace/pr-1-apps"):  # for this kubectl nothing ever goes
            take_down(bench, today)
        [removal] = [" ".join(call) for call in bench.kubectl.asked() if "delete" in call]
        assert f"--selector {self.SELECTOR}" in removal
        assert "--context staging" in removal

    def test_a_stack_that_was_put_into_another_cluster_is_not_looked_for_on_this_machine(
        self, bench: Bench
    ) -> None:
        then = deployed_to("existing", context="staging", selector=self.SELECTOR)
        self.state_is(bench, then, destroy={"code": 255})
        self.staging_answers(bench, "namespace/pr-1-apps")
        with pytest.raises(CleanupError, match="namespace/pr-1-apps"):
            take_down(bench, facts_of(bench))
        assert "state delete" not in asked(bench)

    def test_a_cluster_that_was_made_here_is_not_looked_for_in_another(self, bench: Bench) -> None:
        self.state_is(bench, deployed_to("kind", context="kind-loadproof"), destroy={"code": 255})
        bench.docker.answers({"ps": {"stdout": CONTAINERS}})
        bench.kubeconfig.touch()
        today = self.today(bench, provider="existing", stays=True, context="other", selector=self.SELECTOR)
        with pytest.raises(CleanupError, match="could not be deleted by its name"):
            take_down(bench, today)
        assert bench.kubectl.asked() == []
        assert "state delete" not in asked(bench)

    def test_what_was_claimed_here_goes_with_a_stack_that_is_in_another_cluster(self, bench: Bench) -> None:
        then = deployed_to("existing", context="staging", selector=self.SELECTOR)
        self.state_is(bench, then, destroy={})
        self.staging_answers(bench)
        bench.docker.answers({"ps": {"stdout": CONTAINERS}})
        bench.kubeconfig.touch()
        with pytest.raises(CleanupError, match="could not be deleted by its name"):
            take_down(bench, facts_of(bench))
        assert bench.kind.asked()[0][:4] == ["delete", "cluster", "--name", "loadproof"]

    @pytest.mark.parametrize(("there", "taken"), [(True, "then.yaml"), (False, "today.yaml")])
    def test_a_kubeconfig_that_is_gone_is_the_one_of_today(
        self, bench: Bench, there: bool, taken: str
    ) -> None:
        files = {name: bench.root / name for name in ("then.yaml", "today.yaml")}
        if there:
            files["then.yaml"].touch()
        where = {"context": "staging", "selector": self.SELECTOR}
        then = deployed_to("existing", kubeconfig_path=str(files["then.yaml"]), **where)
        self.state_is(bench, then, destroy={})
        self.staging_answers(bench)
        kubeconfig_path = str(files["today.yaml"])
        take_down(
            bench,
            self.today(bench, provider="existing", stays=True, kubeconfig_path=kubeconfig_path, **where),
        )
        assert {str(files[taken])} == {call[call.index("--kubeconfig") + 1] for call in bench.kubectl.asked()}


def test_a_state_that_cannot_be_emptied_is_a_clean_up_that_failed(bench: Bench) -> None:
    bench.pulumi.answers({"destroy": {"code": 255}, "state": {"code": 1, "stdout": "planted"}, "": {}})

    with pytest.raises(CleanupError, match="state could not be emptied"):
        take_down(bench)


def test_with_a_config_nobody_can_read_pulumi_is_asked_all_the_same(bench: Bench) -> None:
    assert take_down(bench, replace(facts_of(bench), cluster=None)) == ()
    assert asked(bench) == ["stack export", "destroy --yes"]


class TestOnAClusterThatStays:
    """Only what the stack put into it goes, and what may be left is named."""

    def take_down(self, bench: Bench) -> tuple[str, ...]:
        cluster = replace(
            CLUSTER,
            provider="existing",
            stays=True,
            context="staging",
            selector="loadproof/prefix=pr-1",
        )
        return take_down(bench, replace(facts_of(bench), cluster=cluster))

    def cluster_answers(self, bench: Bench, *left: str) -> None:
        bench.kubectl.answers(
            {
                "get-contexts": {"stdout": "staging\n"},
                "config view": {"stdout": SERVER},
                "get --raw /version": {"stdout": "{}"},
                "get namespaces": {"stdout": "\n".join(left)},
                "delete namespaces": {},
            }
        )
        self.state_names(bench, "kubernetes:core/v1:Namespace")

    def cluster_is_gone(self, bench: Bench) -> None:
        refused = {"code": 1, "stderr": "Unable to connect to the server: dial tcp: i/o timeout"}
        bench.kubectl.answers({"get-contexts": {"stdout": "staging\n"}, "": refused})

    def state_names(self, bench: Bench, *types: str) -> None:
        resources = [{"type": one} for one in ("pulumi:pulumi:Stack", *types)]
        self.state_is(bench, *resources)

    def state_is(self, bench: Bench, *resources: object, **answers: dict[str, object]) -> None:
        state = json.dumps({"deployment": {"resources": resources}})
        bench.pulumi.answers({"export": {"stdout": state}, **answers, "": {}})

    def deployed_to(self, bench: Bench, server: str) -> None:
        cluster = {"type": "loadproof:clusters:ExistingCluster", "outputs": {"server": server}}
        self.state_is(bench, {"type": "pulumi:pulumi:Stack"}, cluster)

    def test_the_plain_way_is_pulumis_with_a_look_for_what_is_left(self, bench: Bench) -> None:
        self.cluster_answers(bench)
        assert self.take_down(bench) == ()
        assert asked(bench) == ["stack export", "destroy --yes"]
        assert bench.docker.asked() == bench.kind.asked() == []

    def test_what_is_left_is_named_with_the_command_that_removes_it(self, bench: Bench) -> None:
        self.cluster_answers(bench, "namespace/pr-1-apps", "clusterroles/pr-1-x")
        with pytest.raises(CleanupError, match="namespace/pr-1-apps, clusterroles/pr-1-x") as caught:
            self.take_down(bench)
        assert "--selector loadproof/prefix=pr-1" in caught.value.hint
        assert "state delete" not in asked(bench)

    def test_what_pulumi_knows_nothing_of_is_removed_by_its_label(self, bench: Bench) -> None:
        """As the pods of a killed load, or what was made in the moment when a deployment was killed."""
        self.cluster_answers(bench, "namespace/pr-1-load")
        with pytest.raises(CleanupError):  # for this kubectl nothing ever goes
            self.take_down(bench)
        [removal] = [" ".join(call) for call in bench.kubectl.asked() if "delete" in call]
        assert "delete namespaces" in removal
        assert "--selector loadproof/prefix=pr-1" in removal

    def test_a_failing_pulumi_with_nothing_left_ends_with_an_empty_state(self, bench: Bench) -> None:
        self.cluster_answers(bench)
        self.state_is(bench, destroy={"code": 255, "stdout": "Diagnostics:\n  planted\n"})
        assert "planted" in self.take_down(bench)[0]
        assert asked(bench) == ["stack export", "destroy --yes", "cancel --yes", "state delete"]

    def test_a_context_that_leads_elsewhere_than_at_deployment_keeps_everything(self, bench: Bench) -> None:
        self.cluster_answers(bench)
        self.deployed_to(bench, "https://10.9.9.9:6443")
        with pytest.raises(CleanupError, match=f"at https://10.9.9.9:6443, .* leads to {SERVER}") as caught:
            self.take_down(bench)
        assert caught.value.exit_code is ExitCode.CLEANUP_INCOMPLETE
        assert "KUBECONFIG" in caught.value.hint
        assert asked(bench) == ["stack export"]
        assert [call for call in bench.kubectl.asked() if "delete" in call] == []

    def test_a_state_that_cannot_be_read_keeps_nobody_from_removing_what_is_labelled(
        self, bench: Bench
    ) -> None:
        self.cluster_answers(bench, "namespace/pr-1-apps")
        bench.pulumi.answers({"": {"code": 255, "stdout": "planted"}})
        with pytest.raises(CleanupError, match="still in the cluster"):  # for this kubectl nothing ever goes
            self.take_down(bench)
        assert [call for call in bench.kubectl.asked() if "delete" in call]

    def test_a_context_that_leads_where_it_did_is_no_obstacle(self, bench: Bench) -> None:
        self.cluster_answers(bench)
        self.deployed_to(bench, SERVER)
        assert self.take_down(bench) == ()
        assert asked(bench) == ["stack export", "destroy --yes"]

    def test_out_of_reach_the_state_is_emptied_and_it_is_said_what_may_be_left(self, bench: Bench) -> None:
        self.cluster_is_gone(bench)
        self.state_names(bench, "kubernetes:core/v1:Namespace")
        with pytest.raises(CleanupError, match="i/o timeout") as caught:
            self.take_down(bench)
        assert "may still be there" in caught.value.message
        assert "--selector loadproof/prefix=pr-1" in caught.value.hint
        assert asked(bench) == ["stack export", "cancel --yes", "state delete"]

    def test_out_of_reach_with_nothing_made_is_no_failure(self, bench: Bench) -> None:
        self.cluster_is_gone(bench)
        self.state_names(bench)
        assert self.take_down(bench) == ()
        assert set(asked(bench)) == {"stack export"}

    def test_a_context_that_is_missing_says_nothing_of_the_cluster_and_the_state_is_kept(
        self, bench: Bench
    ) -> None:
        bench.kubectl.answers({"get-contexts": {"stdout": "other\n"}})
        self.state_names(bench, "kubernetes:core/v1:Namespace")
        with pytest.raises(UsageError, match="no context 'staging'"):
            self.take_down(bench)
        assert set(asked(bench)) == {"stack export"}

    def test_a_context_that_is_missing_with_nothing_made_is_no_failure(self, bench: Bench) -> None:
        bench.kubectl.answers({"get-contexts": {"stdout": "other\n"}})
        self.state_names(bench)
        assert self.take_down(bench) == ()


def test_copies_of_the_kubeconfig_go_too_but_not_another_stacks(bench: Bench) -> None:
    temporary = bench.root / ".toolchain" / "tmp"
    temporary.mkdir(parents=True)
    (temporary / "kubeconfig1").write_text("current-context: kind-loadproof\n")
    (temporary / "kubeconfig2").write_text("current-context: kind-loadproof-2\n")

    take_down(bench)

    assert [file.name for file in temporary.iterdir()] == ["kubeconfig2"]
