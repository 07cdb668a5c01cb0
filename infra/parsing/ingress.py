"""The ingress, from the configuration."""

from infra.model import IngressController, IngressSettings
from infra.parsing.forms import host_port
from infra.reading import Section


def ingress(section: Section) -> IngressSettings:
    return IngressSettings(
        controller=section.choice("ingress_controller", IngressController),
        port=host_port(section, "ingress_port"),
    )
