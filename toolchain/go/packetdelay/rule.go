package main

import (
	"fmt"
	"os/exec"
	"strconv"
)

// Others count theirs from zero, such as kind's own network policies.
const firstQueueNumber = 1 << 15

// queueNumber is one that no other process here has: one may begin before another has quite ended.
func queueNumber(pid int) uint16 {
	return firstQueueNumber | uint16(pid%firstQueueNumber)
}

func sendTo(number uint16) error       { return changeRule("--insert", number) }
func sendNoMoreTo(number uint16) error { return changeRule("--delete", number) }

// The table raw is asked before connections are tracked: of a held packet nobody has heard yet.
func changeRule(how string, number uint16) error {
	said, err := exec.Command(
		"iptables", "--wait", "--table", "raw", how, "PREROUTING", "--in-interface", "eth0",
		"--jump", "NFQUEUE", "--queue-num", strconv.Itoa(int(number)), "--queue-bypass",
	).CombinedOutput()
	if err != nil {
		return fmt.Errorf("iptables: %w: %s", err, said)
	}
	return nil
}
