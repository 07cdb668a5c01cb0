package main

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Past every packet that was handed over and not read yet, by the way that the kernel compares numbers.
const farAhead = 1 << 30

// Between two looks at whose time has come.
const readAtOnce = 64

// hold what comes until there is something to read from the orders: no more comes then, and what is held goes on
// at once, in its order.
func (q *queue) hold(orders int, delay time.Duration) error {
	waiting := line{delay: delay}
	failure := q.holdUntil(orders, &waiting)
	if err := sendNoMoreTo(q.number); err != nil {
		return err
	}
	if err := q.letPass(waiting.last + farAhead); err != nil {
		return err
	}
	lost, err := q.lost()
	if lost > 0 {
		err = fmt.Errorf("%d packets were lost: more came than can be held", lost)
	}
	return errors.Join(failure, err)
}

func (q *queue) holdUntil(orders int, waiting *line) error {
	for {
		if ordered, err := q.await(orders, waiting); ordered || err != nil {
			return err
		}
		if err := q.takeIn(waiting); err != nil {
			return err
		}
		if due, found := waiting.leave(time.Now()); found {
			if err := q.letPass(due); err != nil {
				return err
			}
		}
	}
}

func (q *queue) takeIn(waiting *line) error {
	for range readAtOnce {
		id, found, err := q.packet()
		if !found || err != nil {
			return err
		}
		waiting.join(id, time.Now())
	}
	return nil
}

// await a packet, the time of one that waits, or an order.
func (q *queue) await(orders int, waiting *line) (ordered bool, err error) {
	var limit *unix.Timespec
	if next, found := waiting.next(time.Now()); found {
		timespec := unix.NsecToTimespec(next.Nanoseconds())
		limit = &timespec
	}
	files := [2]unix.PollFd{
		{Fd: int32(q.socket), Events: unix.POLLIN},
		{Fd: int32(orders), Events: unix.POLLIN},
	}
	// Raw, as nothing else runs here that could go on meanwhile: waking Go's scheduler costs as much as all the rest.
	_, _, errno := unix.RawSyscall6(
		unix.SYS_PPOLL, uintptr(unsafe.Pointer(&files)), uintptr(len(files)), uintptr(unsafe.Pointer(limit)), 0, 0, 0,
	)
	if errno != 0 && errno != unix.EINTR {
		return false, errno
	}
	return files[1].Revents != 0, nil
}
