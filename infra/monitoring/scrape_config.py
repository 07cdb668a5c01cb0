"""What Prometheus looks at, as the document it reads at its start. Pure."""

from collections.abc import Mapping
from typing import Any

_TOKEN_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105  # a path

# Of a node's several thousand rows these are asked for: to store the others would cost CPU during the load.
_KEPT = (
    "container_cpu_usage_seconds_total",
    "container_cpu_cfs_(throttled_)?periods_total",
    "container_cpu_cfs_throttled_seconds_total",
    "container_memory_working_set_bytes",
    "container_network_(receive|transmit)_bytes_total",
    "container_pressure_.*",
    "container_oom_events_total",
    "container_last_seen",
    "container_start_time_seconds",
    "machine_(cpu_cores|memory_bytes)",
)


def scrape_config(
    *, scrape_interval_s: int, own_port: int, namespaces: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    """The nodes' cAdvisor, Prometheus itself, and pods that ask by annotation: of `namespaces`, or of all."""
    interval = f"{scrape_interval_s}s"
    return {
        "global": {"scrape_interval": interval, "scrape_timeout": interval},
        "scrape_configs": [_cadvisor(namespaces), _itself(own_port), _annotated_pods(namespaces)],
    }


def _cadvisor(namespaces: tuple[str, ...]) -> Mapping[str, Any]:
    return {
        "job_name": "cadvisor",
        "scheme": "https",
        "metrics_path": "/metrics/cadvisor",
        # Straight from each kubelet, which needs nothing but nodes/metrics. By way of the API server it would
        # take nodes/proxy, which lets one run commands in any pod. A kubelet's certificate is self-signed.
        "authorization": {"credentials_file": _TOKEN_FILE},
        "tls_config": {"insecure_skip_verify": True},
        "kubernetes_sd_configs": [{"role": "node"}],
        "relabel_configs": [{"source_labels": ["__meta_kubernetes_node_name"], "target_label": "node"}],
        "metric_relabel_configs": [
            {"source_labels": ["__name__"], "regex": "|".join(_KEPT), "action": "keep"},
            *_of(namespaces),
        ],
    }


def _itself(port: int) -> Mapping[str, Any]:
    # Found among the pods it would be known up to two seconds later, which a run would wait for.
    return {"job_name": "prometheus", "static_configs": [{"targets": [f"localhost:{port}"]}]}


def _annotated_pods(namespaces: tuple[str, ...]) -> Mapping[str, Any]:
    prefix = "__meta_kubernetes_pod"
    annotation = f"{prefix}_annotation_prometheus_io"
    return {
        "job_name": "pods",
        "kubernetes_sd_configs": [{"role": "pod", **_within(namespaces)}],
        "relabel_configs": [
            {"source_labels": [f"{annotation}_scrape"], "regex": "true", "action": "keep"},
            {"source_labels": [f"{prefix}_phase"], "regex": "Succeeded|Failed", "action": "drop"},
            {"source_labels": [f"{annotation}_path"], "regex": "(.+)", "target_label": "__metrics_path__"},
            # One target for a pod, not one for each of its container's ports.
            {
                "source_labels": [f"{prefix}_ip", f"{annotation}_port"],
                "separator": ":",
                "target_label": "__address__",
            },
            {"source_labels": [f"{prefix}_node_name"], "target_label": "node"},
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": [f"{prefix}_name"], "target_label": "pod"},
        ],
    }


def _of(namespaces: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """What others use of a cluster that is theirs too is none of the stack's business."""
    names = "|".join(namespaces)
    return [{"source_labels": ["namespace"], "regex": names, "action": "keep"}] if namespaces else []


def _within(namespaces: tuple[str, ...]) -> Mapping[str, Any]:
    return {"namespaces": {"names": list(namespaces)}} if namespaces else {}
