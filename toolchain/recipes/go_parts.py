"""Which programs are built from which Go modules: one table of what differs between the parts.

What a build differs in from a release is told in docs/toolchain.md. The key of a part depends on its own row,
not on the others: another row makes nothing anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from toolchain.recipes import go_build
from toolchain.recipes.go_build import OWN_PACKAGE, GoPart
from toolchain.recipes.images import GO_WRAPPERS
from toolchain.recipes.kubernetes_schema import embed_schema
from toolchain.sources.build import Recipe

_KUBERNETES_STAMPS = {
    f"{package}.{name}": value
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    for name, value in {
        "gitVersion": "v{version}",
        "gitMajor": "{major}",
        "gitMinor": "{minor}",
        "gitTreeState": "clean",
    }.items()
}
_KUBERNETES_PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
)
_KUBERNETES_PLUGIN = "github.com/pulumi/pulumi-kubernetes"
_PULUMI_SDK = "github.com/pulumi/pulumi/sdk/v3"

GO_PARTS: Mapping[str, GoPart] = {
    "actionlint": GoPart(
        programs={"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"},
        stamps={"github.com/rhysd/actionlint.version": "{version}"},
    ),
    "chart-ingress-nginx": GoPart(
        wrapper="ingress-nginx-controller",
        of_modules={"chart": ("k8s.io/ingress-nginx", "charts/ingress-nginx")},
    ),
    "coredns": GoPart(programs={"coredns": OWN_PACKAGE}),
    "etcd": GoPart(programs={"etcd": "go.etcd.io/etcd/server/v3"}),
    "http-echo": GoPart(
        programs={"http-echo": "github.com/hashicorp/http-echo"},
        stamps={"github.com/hashicorp/http-echo/version.Version": "{version}"},
    ),
    "ingress-nginx-controller": GoPart(
        programs={
            "nginx-ingress-controller": "k8s.io/ingress-nginx/cmd/nginx",
            "wait-shutdown": "k8s.io/ingress-nginx/cmd/waitshutdown",
        },
        stamps={"k8s.io/ingress-nginx/version.RELEASE": "v{version}"},
    ),
    "k6": GoPart(programs={"k6": "go.k6.io/k6"}),
    "kind": GoPart(programs={"kind": "sigs.k8s.io/kind"}),
    "kubectl": GoPart(wrapper="kubernetes", of_parts={"bin/kubectl": ("kubernetes", "bin/kubectl")}),
    "kubernetes": GoPart(
        programs={name: f"k8s.io/kubernetes/cmd/{name}" for name in _KUBERNETES_PROGRAMS},
        stamps=_KUBERNETES_STAMPS,
    ),
    "metrics-server": GoPart(
        programs={"metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server"},
        stamps={"k8s.io/client-go/pkg/version.gitVersion": "v{version}"},
    ),
    "packetdelay": GoPart(programs={"packetdelay": OWN_PACKAGE}),
    "prometheus": GoPart(
        programs={"prometheus": "github.com/prometheus/prometheus/cmd/prometheus"},
        stamps={"github.com/prometheus/common/version.Version": "{version}"},
        # Two dozen clouds' own ways to find what there is to watch.
        tags="remove_all_sd,enable_kubernetes_sd",
    ),
    "pulumi": GoPart(
        programs={"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
        stamps={f"{_PULUMI_SDK}/go/common/version.Version": "v{version}"},
        of_modules={
            "bin/pulumi-language-python-exec": (_PULUMI_SDK, "python/cmd/pulumi-language-python-exec")
        },
        of_parts={"bin/pulumi-language-python": ("pulumi-language-python", "bin/pulumi-language-python")},
    ),
    "pulumi-language-python": GoPart(
        programs={"pulumi-language-python": f"{_PULUMI_SDK}/python/cmd/pulumi-language-python"},
        stamps={f"{_PULUMI_SDK}/go/common/version.Version": "v{version}"},
    ),
    "pulumi-resource-command": GoPart(
        programs={"pulumi-resource-command": OWN_PACKAGE}, stamps={"main.version": "{version}"}
    ),
    "pulumi-resource-kubernetes": GoPart(
        programs={"pulumi-resource-kubernetes": OWN_PACKAGE},
        stamps={f"{_KUBERNETES_PLUGIN}/provider/v4/pkg/version.Version": "{version}"},
        prepare=embed_schema,
        # The whole Kubernetes API once more, as constructors that only the plugin's own components call.
        unoptimised=f"{_KUBERNETES_PLUGIN}/sdk/...",
    ),
    "traefik": GoPart(
        programs={"traefik": "github.com/traefik/traefik/v3/cmd/traefik"},
        stamps={"github.com/traefik/traefik/v3/pkg/version.Version": "{version}"},
    ),
    "trivy": GoPart(
        programs={"trivy": "github.com/aquasecurity/trivy/cmd/trivy"},
        stamps={"github.com/aquasecurity/trivy/pkg/version/app.ver": "{version}"},
        # What GOEXPERIMENT=jsonv2 comes down to, with which its releases are built.
        tags="goexperiment.jsonv2",
    ),
}


def _recipe(name: str, part: GoPart) -> Recipe:
    needs = ("go", *(need for need, _ in part.of_parts.values()))
    own_code = [inspect.getfile(part.prepare)] if part.prepare else []
    sources = (inspect.getfile(go_build), *own_code)
    return Recipe(
        needs=needs,
        inputs=(GO_WRAPPERS / (part.wrapper or name), *map(Path, sources)),
        row=repr(replace(part, prepare=None)),
        build=partial(go_build.build, part=part),
    )


RECIPES: Mapping[str, Recipe] = {name: _recipe(name, part) for name, part in GO_PARTS.items()}
