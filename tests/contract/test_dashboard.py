"""What Grafana shows is what the report is made of, by the same metrics, and Prometheus has them.

And health knows which of what it scrapes are the nodes.
"""

import re
from typing import Any

from infra.monitoring.dashboard import dashboard
from infra.monitoring.scrape_config import scrape_config
from loadtest.health.checks import NODES_POOL
from loadtest.monitoring.queries import OF_EVERY_CONTAINER, Metric

_METRIC = re.compile(r"container_[a-z_]+")


def shown() -> dict[str, set[str]]:
    """The metrics of each panel, by its title."""
    panels: list[dict[str, Any]] = dashboard(
        namespaces=("apps", "ingress-nginx"), datasource_uid="prometheus", scrape_interval_s=2
    )["panels"]
    return {
        panel["title"]: set(_METRIC.findall("".join(target["expr"] for target in panel["targets"])))
        for panel in panels
    }


def test_the_dashboard_reads_each_metric_that_every_container_has_and_no_other() -> None:
    reported = {_METRIC.match(metric.value)[0] for metric in OF_EVERY_CONTAINER}  # type: ignore[index]
    assert all(len(metrics) == 1 for metrics in shown().values()), "a panel shows one figure"
    assert reported == set().union(*shown().values())


def test_prometheus_keeps_what_dashboard_and_report_are_made_of() -> None:
    (cadvisor,) = [
        job
        for job in scrape_config(scrape_interval_s=2, own_port=9090)["scrape_configs"]
        if job["job_name"] == "cadvisor"
    ]
    (kept,) = cadvisor["metric_relabel_configs"]
    for metric in {_METRIC.match(one.value)[0] for one in Metric}.union(*shown().values()):  # type: ignore[index]
        assert re.fullmatch(kept["regex"], metric), metric


def test_health_waits_for_the_nodes_by_the_name_under_which_they_are_scraped() -> None:
    (nodes,) = [
        job["job_name"]
        for job in scrape_config(scrape_interval_s=2, own_port=9090)["scrape_configs"]
        if {"role": "node"} in job.get("kubernetes_sd_configs", [])
    ]
    assert nodes == NODES_POOL
