"""The services under test, from the configuration: what stands inside the list has its defaults here."""

import re

from infra.model import AppSettings, AutoscalerSettings, Resources, Spread
from infra.parsing.forms import IMAGE, IMAGE_RULE, LABEL, NAME_RULE
from infra.quantity import parse_quantity
from infra.reading import Section, repeated

# A Service is named after its app, and its name begins with a letter.
_APP_NAME = re.compile("(?=.{1,40}$)[a-z]([-a-z0-9]*[a-z0-9])?")
_APP_NAME_RULE = f"{NAME_RULE}, the first a letter"
# An Ingress takes no IP address for a host.
_HOST = re.compile(rf"(?=.{{1,253}}$)(?![0-9.]+$){LABEL}(\.{LABEL})*")
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?|/")
_PATH_RULE = "a path that begins with /, none of its parts empty or beginning with a dot"
_MOST_REPLICAS = 100
_BODY = re.compile(r"(?s).{1,4096}")


def apps(section: Section) -> tuple[AppSettings, ...]:
    listed = tuple(_app(item) for item in section.sections("apps", label="name"))
    if section.values.get("apps") == []:
        section.problem("apps", "lists no app that could be tested, it has to list at least one")
    for name in repeated(app.name for app in listed if app.name):
        section.problem("apps", f"has more than one app named {name}")
    for host in repeated(app.host for app in listed if app.host):
        section.problem(
            "apps", f"has more than one app at {host}, each needs a host of its own: figures are by host"
        )
    return listed


def _app(section: Section) -> AppSettings:
    autoscaler = _autoscaler(section)
    app = AppSettings(
        name=section.text("name", form=_APP_NAME, rule=_APP_NAME_RULE),
        host=section.text("host", form=_HOST, rule="a host name in lower case, such as foo.localhost"),
        path=section.text("path", form=_PATH, rule=_PATH_RULE, default="/"),
        image=section.text("image", form=IMAGE, rule=IMAGE_RULE),
        args=section.texts("args"),
        port=_container_port(section),
        expected_body=section.text("expected_body", form=_BODY, rule="the text every right answer has"),
        replicas=_replicas(section, autoscaler),
        autoscaler=autoscaler,
        spread=section.choice("spread", Spread, default=Spread.PREFERRED),
        resources=_resources(section),
    )
    section.close()
    return app


def _replicas(section: Section, autoscaler: AutoscalerSettings | None) -> int:
    replicas = section.integer("replicas", at_least=1, at_most=_MOST_REPLICAS, default=1)
    if autoscaler is None:
        return replicas
    if "replicas" in section.values:
        section.problem("replicas", "is set beside an autoscaler, whose min_replicas takes its place")
    return autoscaler.min_replicas


def _autoscaler(app: Section) -> AutoscalerSettings | None:
    section = app.mapping("autoscaler")
    if section is None:
        return None
    autoscaler = AutoscalerSettings(
        min_replicas=section.integer("min_replicas", at_least=1, at_most=_MOST_REPLICAS, default=1),
        max_replicas=section.integer("max_replicas", at_least=2, at_most=_MOST_REPLICAS),
        target_cpu_percent=section.integer("target_cpu_percent", at_least=1, at_most=1_000, default=80),
        scale_up_stabilization_s=section.integer(
            "scale_up_stabilization_s", at_least=0, at_most=3_600, default=0
        ),
    )
    section.close()
    if 0 < autoscaler.max_replicas <= autoscaler.min_replicas:
        section.problem(
            "max_replicas",
            f"is {autoscaler.max_replicas}, it has to be above min_replicas, {autoscaler.min_replicas}",
        )
    return autoscaler


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


def _container_port(section: Section) -> int:
    # Below 1024 a container would need a capability that the restricted pod security standard forbids.
    return section.integer("port", at_least=1_024, at_most=65_535)
