package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
)

const delay = 100 * time.Millisecond

var began = time.Unix(0, 0)

func at(since time.Duration) time.Time { return began.Add(since) }

func TestEachPacketWaitsItsOwnTimeAndLeavesInTurn(t *testing.T) {
	waiting := line{delay: delay}
	for id, arrival := range []time.Duration{0, 0, 30 * time.Millisecond} {
		waiting.join(uint32(id), at(arrival))
	}
	for _, step := range []struct {
		now   time.Duration
		last  uint32
		found bool
	}{
		{delay - 1, 0, false},
		{delay, 1, true},
		{delay + 30*time.Millisecond - 1, 0, false},
		{delay + 30*time.Millisecond, 2, true},
		{time.Hour, 0, false},
	} {
		if last, found := waiting.leave(at(step.now)); found != step.found || last != step.last {
			t.Errorf("after %v up to %d left (%v), expected %d (%v)", step.now, last, found, step.last, step.found)
		}
	}
}

func TestTheNextOneIsAwaitedNoLongerThanItsTime(t *testing.T) {
	waiting := line{delay: delay}
	if _, found := waiting.next(began); found {
		t.Error("somebody waits in an empty line")
	}
	waiting.join(1, began)
	waiting.join(2, at(time.Millisecond))
	for now, expected := range map[time.Duration]time.Duration{0: delay, delay - 1: 1, 2 * delay: 0} {
		if next, found := waiting.next(at(now)); !found || next != expected {
			t.Errorf("after %v the next one waits for %v, expected %v", now, next, expected)
		}
	}
}

func TestAPacketWithoutItsNumberIsNotTakenForAnother(t *testing.T) {
	mark := []netlink.Attribute{{Type: 3, Data: []byte{0, 0, 0, 1}}}
	number := netlink.Attribute{Type: packetHeader, Data: []byte{0, 0, 1, 2, 8, 0, 0}}
	for _, attributes := range [][]netlink.Attribute{mark, append(mark, number)} {
		encoded, err := netlink.MarshalAttributes(attributes)
		if err != nil {
			t.Fatal(err)
		}
		id, err := packetNumber(netlink.Message{Data: append(make([]byte, headerLength), encoded...)})
		if expected := len(attributes) == 2; expected != (err == nil) || (expected && id != 258) {
			t.Errorf("%d attributes: number %d, %v", len(attributes), id, err)
		}
	}
}

func TestLostPacketsAreThoseOfTheQueueAlone(t *testing.T) {
	counters := "  100      7     0 2 65531     5     6      80  1\n32777     21     0 1     0     3     4     290  1\n"
	for number, expected := range map[uint16]int{100: 11, 32777: 7, 32778: 0} {
		if lost := lostBy(number, counters); lost != expected {
			t.Errorf("queue %d lost %d, expected %d", number, lost, expected)
		}
	}
}

func TestQueuesOfTwoProcessesDifferAndAreNotTheFirstOnes(t *testing.T) {
	if queueNumber(4711) == queueNumber(4712) || queueNumber(1<<15) < firstQueueNumber {
		t.Error("a number may be another's")
	}
}

func TestNothingIsDoneUnlessItIsAskedFor(t *testing.T) {
	var answers strings.Builder
	orders, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"100ms"}, orders, &answers); err != nil || answers.String() != "ready\n" {
		t.Errorf("it said %q and failed with %v", answers.String(), err)
	}
}

func TestWhatIsNoDurationIsRefused(t *testing.T) {
	for _, arguments := range [][]string{{}, {"100"}, {"100ms", "200ms"}} {
		if err := run(arguments, os.Stdin, &strings.Builder{}); err == nil {
			t.Errorf("%q was taken", arguments)
		}
	}
}
