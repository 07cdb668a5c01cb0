"""What is done on a node, as shell commands that any node of kind's understands.

Both versions of cgroups are read. Leaves out nodes themselves, which the container engine stops and holds.
"""

from loadtest.chaos import packet_delay
from loadtest.chaos.lever import ByProgram, Move

# Of each container, the file that lists its processes as the node numbers them, children included.
_PROCESSES = r"""
lists=
for id in "$@"; do
    found=$(find /sys/fs/cgroup -path "*/cri-containerd-$id.scope/cgroup.procs")
    list=$(grep -ls . /dev/null $found | head -n 1)
    [ -n "$list" ] || { echo "container $id does not run here"; exit 1; }
    lists="$lists $list"
done
"""
_RUNNING = 'grep -qs . $lists || { echo "nothing runs in it any more"; exit 1; }'


def _signal_to_all(name: str) -> str:
    """Processes end meanwhile, by their parent's death for one: these need none. So do whole containers."""
    return f'for pid in $(cat $lists 2> /dev/null); do kill -s {name} "$pid" || [ ! -e "/proc/$pid" ]; done'


# Arguments of the first two are the pod's containers; of the others first the delay, such as 100ms.
KILL_POD = Move(prepare=_PROCESSES, do=f"{_RUNNING}\n{_signal_to_all('KILL')}")
FREEZE_POD = Move(prepare=_PROCESSES, do=f"{_RUNNING}\n{_signal_to_all('STOP')}", undo=_signal_to_all("CONT"))
# All containers of a pod share its network, which stays the same when one of them is started anew.
DELAY_POD = ByProgram(
    script=f"""
set -e
delay=$1
shift
{_PROCESSES}
read -r pid < "$list"
exec nsenter --net="/proc/$pid/ns/net" {packet_delay.ON_A_NODE} "$delay"
"""
)
DELAY_NODE = ByProgram(script=f'exec {packet_delay.ON_A_NODE} "$1"')
