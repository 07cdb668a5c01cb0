"""The ingress, from the configuration."""

from infra.ingress import CONTROLLERS
from infra.model import IngressSettings
from infra.parsing.forms import host_port
from infra.reading import Section


def ingress(section: Section) -> IngressSettings:
    return IngressSettings(
        controller=section.name_in("ingress_controller", CONTROLLERS),
        port=host_port(section, "ingress_port"),
    )
