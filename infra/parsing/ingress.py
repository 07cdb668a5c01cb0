"""The ingress, from the configuration."""

import re

from infra.ingress import CONTROLLERS
from infra.model import IngressSettings
from infra.parsing.forms import host_port
from infra.reading import Section

_ADDRESS = re.compile(r"(?i)([0-9a-f.:]+|[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?")
_ADDRESS_RULE = "an IP address or a host name"


def ingress(section: Section) -> IngressSettings:
    return IngressSettings(
        controller=section.name_in("ingress_controller", CONTROLLERS),
        address=section.text("ingress_address", form=_ADDRESS, rule=_ADDRESS_RULE) or None,
        port=host_port(section, "ingress_port"),
        node_port=section.integer("ingress_node_port", at_least=30_000, at_most=32_767),
    )
