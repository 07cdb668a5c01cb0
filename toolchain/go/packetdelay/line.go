package main

import "time"

// line is of packets that wait, all of them equally long: they leave as they came.
type line struct {
	delay time.Duration
	held  []held
	last  uint32 // that joined, whether it still waits or not
}

// held is a packet, known by its number, and when it may go on.
type held struct {
	id  uint32
	due time.Time
}

func (l *line) join(id uint32, now time.Time) {
	l.last = id
	l.held = append(l.held, held{id: id, due: now.Add(l.delay)})
}

// leave is the last of those whose time has come; all before it leave with it.
func (l *line) leave(now time.Time) (last uint32, found bool) {
	count := 0
	for count < len(l.held) && !l.held[count].due.After(now) {
		last = l.held[count].id
		count++
	}
	l.held = l.held[count:]
	return last, count > 0
}

// next is how long nobody's time comes, and false where nobody waits.
func (l *line) next(now time.Time) (time.Duration, bool) {
	if len(l.held) == 0 {
		return 0, false
	}
	return max(0, l.held[0].due.Sub(now)), true
}
