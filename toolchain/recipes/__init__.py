"""The recipes of all parts, by name: one table, so that the set can be read in one place."""

from __future__ import annotations

from collections.abc import Mapping

from toolchain.recipes import (
    debian_node,
    envoy_image,
    go_compiler,
    go_parts,
    ingress_nginx,
    locust_image,
    node_image,
    own_charts,
    workload_images,
)
from toolchain.sources.build import Recipe

RECIPES: Mapping[str, Recipe] = {
    **go_compiler.RECIPES,
    **go_parts.RECIPES,
    **debian_node.RECIPES,
    **node_image.RECIPES,
    **envoy_image.RECIPES,
    **ingress_nginx.RECIPES,
    **locust_image.RECIPES,
    **own_charts.RECIPES,
    **workload_images.RECIPES,
}
