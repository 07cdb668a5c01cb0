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

func run(arguments []string, orders *os.File, answers io.Writer) error {
	if len(arguments) != 1 {
		return fmt.Errorf("packetdelay takes one argument, a duration such as 100ms")
	}
	delay, err := time.ParseDuration(arguments[0])
	if err != nil {
		return err
	}
	fmt.Fprintln(answers, "ready")
	if ended, err := order(orders); ended || err != nil {
		return err
	}
	packets, err := openQueue(queueNumber(os.Getpid()))
	if err != nil {
		return err
	}
	if err := sendTo(packets.number); err != nil {
		return err
	}
	fmt.Fprintln(answers, "done")
	if err := packets.hold(int(orders.Fd()), delay); err != nil {
		return err
	}
	fmt.Fprintln(answers, "undone")
	return nil
}

// order waits for a line; there is none any more where the input has ended.
func order(orders *os.File) (ended bool, err error) {
	for letter := make([]byte, 1); letter[0] != '\n'; {
		if _, err := orders.Read(letter); err == io.EOF {
			return true, nil
		} else if err != nil {
			return false, err
		}
	}
	return false, nil
}
