"""What whoever measures a cluster may do in it: look at nodes and pods, and read the nodes' metrics.

Leaves out who needs it: see `prometheus` and `metrics_server`.
"""

import pulumi
from pulumi_kubernetes.core.v1 import ServiceAccount
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict
from pulumi_kubernetes.rbac.v1 import ClusterRole, ClusterRoleBinding, RoleRefArgsDict, SubjectArgsDict


def measuring_account(
    name: str, *, metadata: ObjectMetaArgsDict, cluster_wide: ObjectMetaArgsDict, opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """A service account with these rights; `cluster_wide` is the metadata of what is in no namespace."""
    account = ServiceAccount(name, metadata=metadata, opts=opts)
    role = ClusterRole(
        name,
        metadata=cluster_wide,
        rules=[
            {"api_groups": [""], "resources": ["nodes", "pods"], "verbs": ["get", "list", "watch"]},
            {"api_groups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
        ],
        opts=opts,
    )
    ClusterRoleBinding(
        name,
        metadata=cluster_wide,
        role_ref=role_ref("ClusterRole", role.metadata.name),
        subjects=[subject(account.metadata.name, metadata["namespace"])],
        opts=opts,
    )
    return account.metadata.name


def subject(account: pulumi.Input[str], namespace: pulumi.Input[str]) -> SubjectArgsDict:
    return {"kind": "ServiceAccount", "name": account, "namespace": namespace}


def role_ref(kind: str, name: pulumi.Input[str]) -> RoleRefArgsDict:
    return {"api_group": "rbac.authorization.k8s.io", "kind": kind, "name": name}
