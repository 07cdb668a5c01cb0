#!/bin/bash
# The pod network, without a daemon: the node with address a.b.c.N owns the pod addresses 10.244.N.0/24, so each
# node knows the way to every other one's pods from the start, however many nodes there are or will be.
# Network policies are accepted by the API and not enforced.
set -o errexit -o nounset -o pipefail

pods=10.244.0.0/16
device=$(ip -4 -json route show default | jq -r '.[0].dev')
address=$(ip -4 -json address show dev "$device" | jq -r '[.[0].addr_info[] | select(.scope == "global")][0].local')
network=${address%.*}
own=${address##*.}

for other in $(seq 2 254); do
    if [[ $other != "$own" ]]; then
        echo "route replace 10.244.$other.0/24 via $network.$other dev $device onlink"
    fi
done | ip -batch -

# Only what leaves the pod network takes the node's address: between pods the source stays the pod's own.
masquerade=(POSTROUTING -s "10.244.$own.0/24" ! -d "$pods" -m comment --comment "pods to outside" -j MASQUERADE)
iptables -w -t nat -C "${masquerade[@]}" 2>/dev/null || iptables -w -t nat -A "${masquerade[@]}"

jq -n --arg subnet "10.244.$own.0/24" --argjson mtu "$(<"/sys/class/net/$device/mtu")" '{
  cniVersion: "0.4.0", name: "pods", plugins: [
    {type: "ptp", ipMasq: false, mtu: $mtu,
     ipam: {type: "host-local", dataDir: "/run/cni-ipam-state", routes: [{dst: "0.0.0.0/0"}], ranges: [[{subnet: $subnet}]]}},
    {type: "portmap", capabilities: {portMappings: true}}]}' > /etc/cni/net.d/10-pods.conflist
