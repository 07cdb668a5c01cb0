package main

import "time"

// held is a packet that waits.
type held struct {
	id    uint32
	since time.Time
}

// release lets each packet pass when its own time has come. All wait equally long, so they leave as they came.
func release(line <-chan held, delay time.Duration, letPass func(id uint32)) {
	for packet := range line {
		time.Sleep(time.Until(packet.since.Add(delay)))
		letPass(packet.id)
	}
}
