package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/florianl/go-nfqueue/v2"
	"golang.org/x/sys/unix"
)

const (
	mostHeld       = 1 << 18
	unreadBytes    = 16 << 20
	aheadOfTheLast = 1 << 30
	countersFile   = "/proc/net/netfilter/nfnetlink_queue"
)

// queue holds the packets that the kernel hands to it. It knows them by their numbers alone, which count up.
type queue struct {
	number uint16
	kernel *nfqueue.Nfqueue
	last   atomic.Uint32
}

func openQueue(number uint16, delay time.Duration) (*queue, error) {
	kernel, err := nfqueue.Open(&nfqueue.Config{
		NfQueue:     number,
		MaxQueueLen: mostHeld,
		Copymode:    nfqueue.NfQnlCopyMeta,
		Flags:       nfqueue.NfQaCfgFlagGSO, // what comes as one large packet goes on as one
		AfFamily:    unix.AF_INET,
	})
	if err != nil {
		return nil, fmt.Errorf("no packet can be held here: %w", err)
	}
	if err := kernel.Con.SetReadBuffer(unreadBytes); err != nil {
		return nil, err
	}
	opened := &queue{number: number, kernel: kernel}
	line := make(chan held, mostHeld)
	go release(line, delay, opened.letPass)
	if err := kernel.RegisterWithErrorFunc(context.Background(), opened.into(line), goOn); err != nil {
		return nil, fmt.Errorf("no packet can be held here: %w", err)
	}
	return opened, nil
}

func (q *queue) into(line chan<- held) nfqueue.HookFunc {
	return func(packet nfqueue.Attribute) int {
		q.last.Store(*packet.PacketID)
		line <- held{id: *packet.PacketID, since: time.Now()}
		return 0
	}
}

// goOn: what was lost on the way the kernel counts, and a packet that is gone needs nothing any more.
func goOn(error) int { return 0 }

func (q *queue) letPass(id uint32) {
	if err := q.kernel.SetVerdict(id, nfqueue.NfAccept); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// letGo is for when no more packets come; those that nobody has read yet go as well.
func (q *queue) letGo() error {
	if err := q.kernel.SetVerdictBatch(q.last.Load()+aheadOfTheLast, nfqueue.NfAccept); err != nil {
		return err
	}
	counters, err := os.ReadFile(countersFile)
	if err != nil {
		return err
	}
	if dropped := droppedBy(q.number, string(counters)); dropped > 0 {
		return fmt.Errorf("%d packets were lost: more came than can be held", dropped)
	}
	return nil
}

// droppedBy reads the kernel's line on a queue: its number, four figures, and two kinds of lost packets.
func droppedBy(number uint16, counters string) int {
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
