"""What the shell on a node prints of its containers, in both versions of cgroups.

The files' forms are those of the kernel's documentation (cgroup-v1 and cgroup-v2 of its admin-guide, and its
scheduler/sched-bwc), less the lines that the shell leaves out.
"""

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


def version_1(
    pod: int, container: int, *, at_us: int = 10**15, cpu_ns: int = 0, received: int = 0, hybrid: bool = False
) -> str:
    """One container with a process of its own, of 5,000 bytes of which 1,000 can be dropped.

    It was held back in 3 of 40 periods, for 0.25 s, and one of its processes was killed. Where it is
    `hybrid`, version 2 stands beside with nothing but pressure.
    """
    path = scope(pod, container)
    return f"""container {container} {path}
at {at_us}
cpuacct/./cpuacct.usage:9000000000
{_network(container, received)}
cpuacct/{path}/cpuacct.usage:{cpu_ns}
cpu/{path}/cpu.stat:nr_periods 40
cpu/{path}/cpu.stat:nr_throttled 3
cpu/{path}/cpu.stat:throttled_time 250000000
memory/{path}/memory.usage_in_bytes:5000
memory/{path}/memory.stat:inactive_file 1
memory/{path}/memory.stat:total_inactive_file 1000
memory/{path}/memory.oom_control:oom_kill 1
{_pressure("unified", path) if hybrid else ""}"""


def version_2(pod: int, container: int) -> str:
    """2.5 s of CPU; otherwise as the first."""
    path = scope(pod, container)
    return f"""container {container} {path}
at 1000000000000000
././cpu.stat:usage_usec 9000000
{_network(container, 0)}
./{path}/cpu.stat:usage_usec 2500000
./{path}/cpu.stat:nr_periods 40
./{path}/cpu.stat:nr_throttled 3
./{path}/cpu.stat:throttled_usec 250000
./{path}/memory.current:5000
./{path}/memory.stat:inactive_file 1000
./{path}/memory.events:oom_kill 1
{_pressure(".", path)}"""


def _pressure(root: str, path: str) -> str:
    waited_us = {"cpu": 1_500_000, "memory": 0, "io": 20_000}
    return "".join(
        f"{root}/{path}/{what}.pressure:some avg10=4.94 avg60=1.01 avg300=0.21 total={us}\n"
        for what, us in waited_us.items()
    )


def _network(process_id: int, received: int) -> str:
    columns = "0 0 0 0 0 0 0"
    return "\n".join(
        f"/proc/{process_id}/net/dev:{line}"
        for line in (f"    lo: 9 {columns} 9 {columns}", f"  eth0: {received} {columns} 600 {columns}")
    )
