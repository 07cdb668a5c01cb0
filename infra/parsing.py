"""From a stack's raw configuration to StackSettings, with every problem told at once. Pure.

The keys, their types and defaults stand in Pulumi.yaml; what stands inside a list has its defaults here.
"""

import re
from collections.abc import Mapping
from typing import Any

from infra.model import (
    AppSettings,
    ClusterProvider,
    ClusterSettings,
    Comparison,
    IngressController,
    IngressSettings,
    LoadSettings,
    MonitoringSettings,
    ObjectiveSettings,
    Resources,
    StackSettings,
)
from infra.quantity import parse_quantity
from infra.reading import Section, repeated

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME = re.compile(f"(?=.{{1,40}}$){_LABEL}")
_NAME_RULE = "at most 40 lower-case letters, digits and inner hyphens"
# A Service is named after its app, and its name begins with a letter.
_APP_NAME = re.compile("(?=.{1,40}$)[a-z]([-a-z0-9]*[a-z0-9])?")
_APP_NAME_RULE = f"{_NAME_RULE}, the first a letter"
# An Ingress takes no IP address for a host.
_HOST = re.compile(rf"(?=.{{1,253}}$)(?![0-9.]+$){_LABEL}(\.{_LABEL})*")
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?|/")
_PATH_RULE = "a path that begins with /, none of its parts empty or beginning with a dot"
_BODY = re.compile(r"(?s).{1,4096}")
_METRIC = re.compile(r"[a-z][a-z0-9_.]*")
_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_TAG, _DIGEST = r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", r"@sha256:[0-9a-f]{64}"
_IMAGE = re.compile(rf"({_PART}:[0-9]{{1,5}}/)?{_PART}(/{_PART})*({_TAG}|({_TAG})?{_DIGEST})")
_IMAGE_RULE = "an image with a tag or digest, such as hashicorp/http-echo:1.0.0"


class SettingsError(Exception):
    """The configuration cannot be used; `problems` has one sentence for everything wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def parse(config: Mapping[str, Any]) -> StackSettings:
    """The settings that `config` states, defaults included. Raises SettingsError with all problems."""
    section = Section(values=config, where="", problems=[])
    settings = StackSettings(
        cluster=_cluster(section),
        ingress=_ingress(section),
        apps=_apps(section),
        monitoring=_monitoring(section),
        load=_load(section),
        objectives=_objectives(section),
    )
    section.close()
    _check_ports_differ(section, settings)
    if section.problems:
        raise SettingsError(section.problems)
    return settings


def _cluster(section: Section) -> ClusterSettings:
    return ClusterSettings(
        provider=section.choice("cluster_provider", ClusterProvider),
        name=section.text("cluster_name", form=_NAME, rule=_NAME_RULE),
        workers=section.integer("cluster_workers", at_least=0, at_most=9),
        node_image=section.text("cluster_node_image", form=_IMAGE, rule=_IMAGE_RULE),
    )


def _ingress(section: Section) -> IngressSettings:
    return IngressSettings(
        controller=section.choice("ingress_controller", IngressController),
        port=_port(section, "ingress_port"),
    )


def _monitoring(section: Section) -> MonitoringSettings:
    return MonitoringSettings(
        port=_port(section, "monitoring_port"),
        scrape_interval_s=section.integer("monitoring_scrape_interval_s", at_least=1, at_most=60),
    )


def _load(section: Section) -> LoadSettings:
    return LoadSettings(
        requests=section.integer("load_requests", at_least=1, at_most=100_000_000),
        concurrency=section.integer("load_concurrency", at_least=1, at_most=10_000),
        timeout_s=section.integer("load_timeout_s", at_least=1, at_most=600),
        warm_up_retries=section.integer("load_warm_up_retries", at_least=0, at_most=1_000),
        seed=section.integer("load_seed", at_least=0, at_most=2**31 - 1),
    )


def _objectives(section: Section) -> tuple[ObjectiveSettings, ...]:
    return tuple(_objective(item) for item in section.sections("objectives", label="metric"))


def _objective(section: Section) -> ObjectiveSettings:
    objective = ObjectiveSettings(
        metric=section.text("metric", form=_METRIC, rule="the name of a figure, such as success_ratio"),
        comparison=section.choice("comparison", Comparison),
        limit=section.number("limit"),
    )
    section.close()
    return objective


def _apps(section: Section) -> tuple[AppSettings, ...]:
    apps = tuple(_app(item) for item in section.sections("apps", label="name"))
    if section.values.get("apps") == []:
        section.problem("apps", "lists no app that could be tested, it has to list at least one")
    for name in repeated(app.name for app in apps if app.name):
        section.problem("apps", f"has more than one app named {name}")
    for address in repeated(app.host + app.path for app in apps if app.host):
        section.problem("apps", f"has more than one app at {address}")
    return apps


def _app(section: Section) -> AppSettings:
    app = AppSettings(
        name=section.text("name", form=_APP_NAME, rule=_APP_NAME_RULE),
        host=section.text("host", form=_HOST, rule="a host name in lower case, such as foo.localhost"),
        path=section.text("path", form=_PATH, rule=_PATH_RULE, default="/"),
        image=section.text("image", form=_IMAGE, rule=_IMAGE_RULE),
        args=section.texts("args"),
        port=_container_port(section),
        expected_body=section.text("expected_body", form=_BODY, rule="the text every right answer has"),
        replicas=section.integer("replicas", at_least=1, at_most=100, default=1),
        resources=_resources(section),
    )
    section.close()
    return app


def _resources(section: Section) -> Resources:
    resources = Resources(
        cpu_request=section.cpu("cpu_request", default="50m"),
        cpu_limit=section.cpu("cpu_limit", default="500m"),
        memory_request=section.memory("memory_request", default="32Mi"),
        memory_limit=section.memory("memory_limit", default="64Mi"),
    )
    for kind, request, limit in (
        ("cpu", resources.cpu_request, resources.cpu_limit),
        ("memory", resources.memory_request, resources.memory_limit),
    ):
        if (parse_quantity(request) or 0) > (parse_quantity(limit) or 0):
            section.problem(f"{kind}_request", f"is {request}, it may not be above {kind}_limit, {limit}")
    return resources


def _port(section: Section, key: str) -> int:
    return section.integer(key, at_least=1, at_most=65_535)


def _container_port(section: Section) -> int:
    # Below 1024 a container would need a capability that the restricted pod security standard forbids.
    return section.integer("port", at_least=1_024, at_most=65_535)


def _check_ports_differ(section: Section, settings: StackSettings) -> None:
    ports = settings.host_ports
    for port in repeated(str(port) for port in ports.values() if port):
        section.problem(" and ".join(ports), f"are both {port}, each needs a port of its own")
