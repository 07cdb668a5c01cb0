"""Monitoring, from the configuration."""

from infra.model import MonitoringSettings
from infra.parsing.forms import host_port
from infra.reading import Section


def monitoring(section: Section) -> MonitoringSettings:
    grafana, grafana_port = (
        section.boolean("monitoring_grafana"),
        host_port(section, "monitoring_grafana_port"),
    )
    return MonitoringSettings(
        port=host_port(section, "monitoring_port"),
        scrape_interval_s=section.integer("monitoring_scrape_interval_s", at_least=1, at_most=60),
        grafana_port=grafana_port if grafana else None,
    )
