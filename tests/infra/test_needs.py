"""What a stack needs of the toolchain follows from its settings alone."""

import json
import subprocess
import sys
from dataclasses import replace

from infra import needs as needs_module
from infra.clusters import PROVIDERS
from infra.ingress import CONTROLLERS
from infra.model import AutoscalerSettings, ChaosAction, ChaosSettings, ExistingCluster, StackSettings
from infra.needs import images_wanted, needs
from infra.paths import ROOT
from infra.stack_file import settings_of
from toolchain.pins import load_pins


def settings(stack: str = "ci") -> StackSettings:
    return settings_of(ROOT / f"Pulumi.{stack}.yaml")


def on_node_image(image: str) -> StackSettings:
    ci = settings()
    return replace(ci, cluster=replace(ci.cluster, node_image=image))


def test_stack_ci_needs_its_cluster_and_its_controllers_chart_and_nothing_else() -> None:
    needed = needs(settings())
    assert {"kind", "node-image", "chart-ingress-nginx"} == set(needed.parts)
    assert {} == needed.images


def test_a_node_image_of_the_stacks_own_is_needed_in_place_of_the_pinned_one() -> None:
    needed = needs(on_node_image("acme/node:1"))
    assert "node-image" not in needed.parts
    assert {"acme/node:1": "cluster_node_image"} == needed.images


def test_another_version_of_kubernetes_needs_kinds_own_image() -> None:
    own = on_node_image("kindest/node:v1.33.1")
    needed = needs(replace(own, cluster=replace(own.cluster, kubernetes_version="1.33.1")))
    assert {"kindest/node:v1.33.1": "cluster_kubernetes_version"} == needed.images


def test_what_only_some_stacks_have_is_needed_by_those_alone() -> None:
    ci = settings()
    autoscaler = AutoscalerSettings(
        min_replicas=1, max_replicas=2, target_cpu_percent=50, scale_up_stabilization_s=0
    )
    delay = ChaosSettings(at_s=1.0, action=ChaosAction.DELAY, target="ingress", duration_s=1.0, delay_ms=20.0)
    more = {
        "image-metrics-server": replace(ci, apps=(replace(ci.apps[0], autoscaler=autoscaler), *ci.apps[1:])),
        "image-grafana": replace(ci, monitoring=replace(ci.monitoring, grafana_port=30_091)),
        "image-envoy": replace(ci, cluster=replace(ci.cluster, control_planes=3)),
        "k6": replace(ci, load=replace(ci.load, engine="k6")),
        "packetdelay": replace(ci, chaos=(delay,)),
        "image-locust": replace(ci, load=replace(ci.load, locust_workers=2)),
    }
    for part, changed in more.items():
        assert {part} == set(needs(changed).parts) - set(needs(ci).parts)


def test_images_are_wanted_of_every_part_that_is_one_but_of_none_that_a_run_does_without() -> None:
    ci = settings()
    changed = replace(
        ci,
        cluster=replace(ci.cluster, control_planes=3),
        load=replace(ci.load, locust_workers=2),
        monitoring=replace(ci.monitoring, grafana_port=30_091),
    )
    repositories = {image.rpartition(":")[0] for image in images_wanted(changed)}
    assert {"loadproof/node", "envoyproxy/envoy", "loadproof/locust"} == repositories
    assert ("acme/node:1",) == images_wanted(on_node_image("acme/node:1"))


def test_a_cluster_that_is_there_gets_its_images_itself() -> None:
    existing = ExistingCluster(context="staging", kubeconfig=None)
    ci = settings()
    needed = needs(replace(ci, cluster=replace(ci.cluster, provider="existing", existing=existing)))
    assert {"chart-ingress-nginx"} == set(needed.parts)
    assert {} == needed.images


def test_every_part_that_a_stack_of_the_project_needs_is_pinned() -> None:
    pins = load_pins()
    stacks = [file.name.split(".")[1] for file in ROOT.glob("Pulumi.*.yaml")]
    assert "ci" in stacks
    for stack in stacks:
        for part in needs(settings(stack)).parts:
            assert pins[part].by_stack, f"{part} is got for every stack, {stack} need not name it"


def test_every_provider_and_every_controller_says_what_it_needs() -> None:
    ci = settings()
    for provider in PROVIDERS:
        needs(replace(ci, cluster=replace(ci.cluster, provider=provider)))
    for controller in CONTROLLERS:
        needs(replace(ci, ingress=replace(ci.ingress, controller=controller)))


def test_the_command_prints_json_and_ends_with_2_where_there_are_problems() -> None:
    def ask(stack: str) -> tuple[int, dict[str, object]]:
        command = [sys.executable, "-m", needs_module.__name__, "--stack", stack]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
        return ended.returncode, json.loads(ended.stdout)

    assert (0, {"problems": [], "parts": list(needs(settings()).parts), "images": {}}) == ask("ci")
    code, told = ask("no-such-stack")
    assert 2 == code
    assert ["there is no stack file Pulumi.no-such-stack.yaml in the project's folder"] == told["problems"]


def test_the_question_is_answered_without_the_engines_library() -> None:
    command = [sys.executable, "-X", "importtime", "-m", needs_module.__name__, "--stack", "ci"]
    told = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert "infra.parsing" in told.stderr
    assert " pulumi\n" not in told.stderr, "importing it takes longer than a warm set-up may"
