"""The dashboard that Grafana shows of a load: what the report tells in figures, as curves over time. Pure.

Every panel reads a metric that the report is made of. Leaves out latencies: those are the load generator's,
and Prometheus knows nothing of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UID = "loadproof"
TITLE = "Load test"
_WIDTH, _HEIGHT, _COLUMNS = 12, 8, 2
# A pod of a Deployment is named after it, the hash of its form and a random end.
_OWNER_OF_POD = "(.+)-[^-]+-[^-]+"
_CONTAINERS = 'container!="",container!="POD"'


@dataclass(frozen=True, kw_only=True)
class _Panel:
    """`row` selects each pod's series, whose sum is shown for each of the namespaces' workloads."""

    title: str
    unit: str  # in Grafana's words
    row: str


def dashboard(
    *, namespaces: tuple[str, ...], datasource_uid: str, scrape_interval_s: int
) -> Mapping[str, Any]:
    """The apps' and the ingress' use, one curve for each; `namespaces` are those they are in."""
    panels = _panels("|".join(namespaces), scrape_interval_s)
    return {
        "uid": UID,
        "title": TITLE,
        "schemaVersion": 41,
        "editable": False,
        "timezone": "browser",
        "time": {"from": "now-15m", "to": "now"},
        "refresh": f"{max(5, scrape_interval_s)}s",
        "panels": [_panel(number, panel, datasource_uid) for number, panel in enumerate(panels)],
    }


def _panels(namespaces: str, scrape_interval_s: int) -> tuple[_Panel, ...]:
    containers = f'{{namespace=~"{namespaces}",{_CONTAINERS}}}'
    pods = f'{{namespace=~"{namespaces}",interface!="lo"}}'
    # Four scrapes: with fewer a rate has gaps, with more a short load is smoothed away.
    window_s = 4 * scrape_interval_s
    window = f"[{window_s}s]"
    return (
        _Panel(
            title="CPU (cores)",
            unit="none",
            row=f"rate(container_cpu_usage_seconds_total{containers}{window})",
        ),
        _Panel(title="Memory", unit="bytes", row=f"container_memory_working_set_bytes{containers}"),
        _Panel(
            title="Network in",
            unit="Bps",
            row=f"rate(container_network_receive_bytes_total{pods}{window})",
        ),
        _Panel(
            title="Network out",
            unit="Bps",
            row=f"rate(container_network_transmit_bytes_total{pods}{window})",
        ),
        _Panel(
            title="Running pods",
            unit="none",
            # A container that is gone shows for five more minutes, but with an older time.
            row=f"(max by (namespace, pod) (container_last_seen{containers}) > bool (time() - {window_s}))",
        ),
    )


def _panel(number: int, panel: _Panel, datasource_uid: str) -> Mapping[str, Any]:
    datasource = {"type": "prometheus", "uid": datasource_uid}
    query = f'sum by (workload) (label_replace({panel.row}, "workload", "$1", "pod", "{_OWNER_OF_POD}"))'
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": datasource,
        "gridPos": {
            "x": number % _COLUMNS * _WIDTH,
            "y": number // _COLUMNS * _HEIGHT,
            "w": _WIDTH,
            "h": _HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [{"refId": "A", "datasource": datasource, "expr": query, "legendFormat": "{{workload}}"}],
    }
