package main

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const delay = 100 * time.Millisecond

func TestEachPacketWaitsItsOwnTimeAndLeavesInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type departure struct {
			id    uint32
			after time.Duration
		}
		line, began := make(chan held, 3), time.Now()
		var left []departure
		go release(line, delay, func(id uint32) {
			left = append(left, departure{id, time.Since(began)})
		})
		for id, arrivesAfter := range []time.Duration{0, 0, 30 * time.Millisecond} {
			time.Sleep(arrivesAfter)
			line <- held{id: uint32(id), since: time.Now()}
		}
		time.Sleep(time.Second)
		close(line)
		expected := []departure{{0, delay}, {1, delay}, {2, delay + 30*time.Millisecond}}
		if !slices.Equal(expected, left) {
			t.Errorf("left as %v, expected %v", left, expected)
		}
	})
}

func TestWhatWasReadLateWaitsNoLongerForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line, began := make(chan held, 1), time.Now()
		line <- held{id: 1, since: began.Add(-2 * delay)}
		close(line)
		release(line, delay, func(uint32) {})
		if waited := time.Since(began); waited != 0 {
			t.Errorf("it waited for another %v", waited)
		}
	})
}

func TestLostPacketsAreThoseOfTheQueueAlone(t *testing.T) {
	counters := "  100      7     0 2 65531     5     6      80  1\n32777     21     0 1     0     3     4     290  1\n"
	for number, expected := range map[uint16]int{100: 11, 32777: 7, 32778: 0} {
		if dropped := droppedBy(number, counters); dropped != expected {
			t.Errorf("queue %d lost %d, expected %d", number, dropped, expected)
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
	if err := run([]string{"100ms"}, strings.NewReader(""), &answers); err != nil || answers.String() != "ready\n" {
		t.Errorf("it said %q and failed with %v", answers.String(), err)
	}
}

func TestWhatIsNoDurationIsRefused(t *testing.T) {
	for _, arguments := range [][]string{{}, {"100"}, {"100ms", "200ms"}} {
		if err := run(arguments, strings.NewReader(""), &strings.Builder{}); err == nil {
			t.Errorf("%q was taken", arguments)
		}
	}
}
