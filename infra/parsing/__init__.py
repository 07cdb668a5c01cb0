"""From a stack's raw configuration to StackSettings, with every problem told at once. Pure.

The keys, their types and defaults stand in Pulumi.yaml.
"""

from collections.abc import Mapping
from typing import Any

from infra.model import StackSettings
from infra.parsing.apps import apps
from infra.parsing.chaos import chaos
from infra.parsing.cluster import cluster
from infra.parsing.forms import PREFIX, PREFIX_RULE
from infra.parsing.ingress import ingress
from infra.parsing.load import load
from infra.parsing.monitoring import monitoring
from infra.parsing.slo import slo
from infra.parsing.validity import validity
from infra.reading import Section, repeated


class SettingsError(Exception):
    """The configuration cannot be used; `problems` has one sentence for everything wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def parse(config: Mapping[str, Any], *, stack: str) -> StackSettings:
    """The settings that a stack's `config` states. Raises SettingsError with all problems."""
    section = Section(values=config, where="", problems=[])
    made_or_there = cluster(section, stack=stack)
    under_test = apps(section)
    settings = StackSettings(
        stack=stack,
        namespace_prefix=section.text("namespace_prefix", form=PREFIX, rule=PREFIX_RULE),
        cluster=made_or_there,
        ingress=ingress(section),
        apps=under_test,
        monitoring=monitoring(section),
        load=load(section),
        slo=slo(section, apps=under_test),
        validity=validity(section),
        chaos=chaos(section, apps=under_test, cluster=made_or_there),
    )
    section.close()
    _check_ports_differ(section, settings)
    _check_existing(section, settings)
    if section.problems:
        raise SettingsError(section.problems)
    return settings


def _check_ports_differ(section: Section, settings: StackSettings) -> None:
    ports = settings.host_ports
    for port in repeated(str(port) for port in ports.values() if port):
        alike = [key for key, value in ports.items() if str(value) == port]
        section.problem(" and ".join(alike), f"are both {port}, each needs a port of its own")


def _check_existing(section: Section, settings: StackSettings) -> None:
    if settings.cluster.existing and not settings.namespace_prefix:
        section.problem("namespace_prefix", "is not set, what is put into an existing cluster needs one")
    if settings.ingress.certificate and not settings.cluster.existing:
        section.problem("ingress_certificate", "is set, a cluster made for the stack has no secrets yet")
    if settings.cluster.existing and settings.monitoring.grafana_port is not None:
        section.problem(
            "monitoring_grafana", "is true, no port of this machine leads into an existing cluster"
        )
    if settings.ingress.address and not settings.cluster.existing:
        section.problem("ingress_address", "is set, a cluster of this machine has its loopback address")
