// packetdelay lets every IPv4 packet that arrives at eth0 of the network it runs in go on only a while later.
//
// It is told what to do by lines, and answers with lines:
//
//	packetdelay 100ms
//	  says "ready"; with a line it holds packets and says "done"; with another, or when its input ends, it
//	  holds none any more and says "undone".
//
// Whoever started it may die: its input ends then. If it dies itself, packets pass as if it were not there.
// It leaves out IPv6, and packets of a network to itself. Why packets are held where they arrive and not where
// they are sent: docs/adr/0012-packets-held-by-a-program.md.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string, orders io.Reader, answers io.Writer) error {
	if len(arguments) != 1 {
		return fmt.Errorf("packetdelay takes one argument, a duration such as 100ms")
	}
	delay, err := time.ParseDuration(arguments[0])
	if err != nil {
		return err
	}
	order := bufio.NewScanner(orders)
	fmt.Fprintln(answers, "ready")
	if !order.Scan() {
		return order.Err()
	}
	undo, err := hold(delay)
	if err != nil {
		return err
	}
	fmt.Fprintln(answers, "done")
	order.Scan()
	if err := undo(); err != nil {
		return err
	}
	fmt.Fprintln(answers, "undone")
	return nil
}

// hold begins with the next packet. Undoing it lets go at once of what is still held, in its order.
func hold(delay time.Duration) (undo func() error, err error) {
	number := queueNumber(os.Getpid())
	packets, err := openQueue(number, delay)
	if err != nil {
		return nil, err
	}
	if err := sendTo(number); err != nil {
		return nil, err
	}
	return func() error {
		if err := sendNoMoreTo(number); err != nil {
			return err
		}
		return packets.letGo()
	}, nil
}
