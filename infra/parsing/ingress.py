"""The ingress, from the configuration."""

import re

from infra.ingress import CONTROLLERS
from infra.model import IngressSettings, SecretName
from infra.parsing.forms import LABEL, host_port
from infra.reading import Section

_ADDRESS = re.compile(rf"(?i)(?=.{{0,253}}$)([0-9a-f]*:[0-9a-f:.]+|{LABEL}(\.{LABEL})*)?")
_CERTIFICATE = re.compile(rf"({LABEL}/{LABEL}(\.{LABEL})*)?")
_CERTIFICATE_RULE = "a secret of the cluster, such as certificates/shop"
_ADDRESS_RULE = "an IP address or a host name"


def ingress(section: Section) -> IngressSettings:
    controller = section.name_in("ingress_controller", CONTROLLERS)
    return IngressSettings(
        controller=controller,
        address=section.text("ingress_address", form=_ADDRESS, rule=_ADDRESS_RULE) or None,
        port=host_port(section, "ingress_port"),
        node_port=section.integer("ingress_node_port", at_least=30_000, at_most=32_767),
        certificate=_certificate(section, controller),
    )


def _certificate(section: Section, controller: str) -> SecretName | None:
    text = section.text("ingress_certificate", form=_CERTIFICATE, rule=_CERTIFICATE_RULE)
    if not text:
        return None
    able = [name for name, row in CONTROLLERS.items() if row.takes_certificate]
    if controller not in able:
        section.problem("ingress_certificate", f"is set, of the controllers {', '.join(able)} can take one")
    namespace, _, name = text.partition("/")
    return SecretName(namespace=namespace, name=name)
