"""What the shell on a node prints of its containers, in both versions of cgroups."""

SCOPES = "kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice"


def container_id(number: int) -> str:
    return f"{number:064x}"


def pod_uid(number: int) -> str:
    return f"0000{number:04x}-6850-4f6e-a6ed-229d3d4a90a1"


def scope(pod: int, container: int) -> str:
    uid = pod_uid(pod).replace("-", "_")
    return (
        f"./{SCOPES}/kubelet-kubepods-burstable-pod{uid}.slice/cri-containerd-{container_id(container)}.scope"
    )


def version_1(pod: int, container: int, *, at_ns: int = 10**18, cpu_ns: int = 0, received: int = 0) -> str:
    """One container with a process of its own, of 5,000 bytes of which 1,000 can be dropped."""
    path = scope(pod, container)
    return f"""container {container} {path}
at {at_ns}
{_network(container, received)}
cpuacct/{path}/cpuacct.usage:{cpu_ns}
memory/{path}/memory.usage_in_bytes:5000
memory/{path}/memory.stat:inactive_file 1
memory/{path}/memory.stat:total_inactive_file 1000
"""


def version_2(pod: int, container: int) -> str:
    """2.5 s of CPU; otherwise as the first."""
    path = scope(pod, container)
    return f"""container {container} {path}
at 1000000000000000000
{_network(container, 0)}
./{path}/cpu.stat:usage_usec 2500000
./{path}/memory.current:5000
./{path}/memory.stat:inactive_file 1000
"""


def _network(process_id: int, received: int) -> str:
    columns = "0 0 0 0 0 0 0"
    return "\n".join(
        f"/proc/{process_id}/net/dev:{line}"
        for line in (f"    lo: 9 {columns} 9 {columns}", f"  eth0: {received} {columns} 600 {columns}")
    )
