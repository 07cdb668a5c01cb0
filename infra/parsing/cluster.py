"""The cluster, from the configuration."""

from infra.clusters import PROVIDERS
from infra.model import ClusterSettings
from infra.parsing.forms import IMAGE, IMAGE_RULE, NAME, NAME_RULE
from infra.reading import Section


def cluster(section: Section) -> ClusterSettings:
    return ClusterSettings(
        provider=section.name_in("cluster_provider", PROVIDERS),
        name=section.text("cluster_name", form=NAME, rule=NAME_RULE),
        workers=section.integer("cluster_workers", at_least=0, at_most=9),
        node_image=section.text("cluster_node_image", form=IMAGE, rule=IMAGE_RULE),
        autoscaling_sync_s=section.integer("cluster_autoscaling_sync_s", at_least=1, at_most=600),
    )
