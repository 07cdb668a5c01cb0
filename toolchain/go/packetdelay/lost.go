package main

import (
	"os"
	"strconv"
	"strings"
)

const countersFile = "/proc/net/netfilter/nfnetlink_queue"

// lost says how many packets the kernel could not hand over.
func (q *queue) lost() (int, error) {
	counters, err := os.ReadFile(countersFile)
	return lostBy(q.number, string(counters)), err
}

// lostBy reads the kernel's line on a queue: its number, four figures, and two kinds of lost packets.
func lostBy(number uint16, counters string) int {
	for line := range strings.Lines(counters) {
		figures := strings.Fields(line)
		if len(figures) > 6 && figures[0] == strconv.Itoa(int(number)) {
			full, _ := strconv.Atoi(figures[5])
			unread, _ := strconv.Atoi(figures[6])
			return full + unread
		}
	}
	return 0
}
