"""How many replicas an autoscaled app is to have, as the HorizontalPodAutoscaler that decides it. Pure.

Leaves out who measures what the app uses: see `infra.monitoring.metrics_server`.
"""

import pulumi
from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscalerSpecArgsDict

from infra.model import AutoscalerSettings


def autoscaler_spec(
    deployment: pulumi.Input[str], autoscaler: AutoscalerSettings
) -> HorizontalPodAutoscalerSpecArgsDict:
    """The rule for the app's Deployment; scaling down is left as Kubernetes does it by itself."""
    return {
        "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": deployment},
        "min_replicas": autoscaler.min_replicas,
        "max_replicas": autoscaler.max_replicas,
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {
                        "type": "Utilization",
                        "average_utilization": autoscaler.target_cpu_percent,
                    },
                },
            }
        ],
        "behavior": {"scale_up": {"stabilization_window_seconds": autoscaler.scale_up_stabilization_s}},
    }
