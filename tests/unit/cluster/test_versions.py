"""The images that pods really run."""

from loadtest.cluster.objects import ContainerStatus, Metadata, Pod, PodStatus
from loadtest.cluster.versions import running_images
from loadtest.versions import RunningImage


def pod(namespace: str, *statuses: ContainerStatus) -> Pod:
    return Pod(
        metadata=Metadata(name="pod", namespace=namespace), status=PodStatus(container_statuses=statuses)
    )


def test_each_image_of_the_namespaces_is_named_once() -> None:
    echo = ContainerStatus(name="main", image="echo:1", image_id="sha256:a")
    pods = [pod("apps", echo), pod("apps", echo), pod("kube-system", echo)]
    assert running_images(pods, {"apps"}) == (
        RunningImage(namespace="apps", image="echo:1", image_id="sha256:a"),
    )


def test_one_name_for_two_images_is_two_images() -> None:
    both = [
        pod("apps", ContainerStatus(name="main", image="echo:dev", image_id=image_id))
        for image_id in ("sha256:b", "sha256:a")
    ]
    assert [one.image_id for one in running_images(both, {"apps"})] == ["sha256:a", "sha256:b"]


def test_a_container_that_never_ran_runs_no_image() -> None:
    assert running_images([pod("apps", ContainerStatus(name="main", image="echo:1"))], {"apps"}) == ()
