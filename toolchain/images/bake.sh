#!/bin/bash
# Runs in a container of a node image, while images are imported into its containerd from outside:
# `start`, then the import, then `discard`, `stop` and `share` for images that were unpacked; else just `stop`.
set -o errexit -o nounset -o pipefail

log=/run/bake.log
before=/run/bake.before

case $1 in
start)
    setsid containerd < /dev/null &> "$log" &
    for _ in $(seq 100); do
        if ctr --namespace=k8s.io content ls -q 2> /dev/null > "$before"; then exit; fi
        sleep 0.1
    done
    cat "$log" >&2
    exit 1
    ;;
discard)
    # An unpacked layer's archive is never read again; those that were there before may not be unpacked.
    # Removing a lease makes containerd collect what is gone at once.
    comm -23 <(ctr --namespace=k8s.io content ls | awk '/containerd.io.uncompressed/ {print $1}' | sort) \
        <(sort "$before") | xargs --no-run-if-empty ctr --namespace=k8s.io content rm
    ctr --namespace=k8s.io leases rm --sync "$(ctr --namespace=k8s.io leases create)"
    ;;
stop)
    pkill -x containerd
    # Ended, it stays listed: the first process here is no init and collects nobody.
    while pgrep --runstates D,R,S -x containerd > /dev/null; do sleep 0.1; done
    rm -f "$log" "$before"
    ;;
share)
    # kind gives each node a volume for /var, which the engine fills with a copy of what the image has there.
    # Layers elsewhere are shared by all nodes instead; below a pod's own files they are only ever read.
    mkdir -p /kind/snapshots
    cd /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots
    for snapshot in *; do
        if [[ ! -L $snapshot ]]; then
            mv "$snapshot" /kind/snapshots/
            ln -s "/kind/snapshots/$snapshot" "$snapshot"
        fi
    done
    ;;
esac
