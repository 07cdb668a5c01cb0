package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	mostHeld    = 1 << 18
	unreadBytes = 16 << 20
)

// What linux/netfilter/nfnetlink_queue.h calls by longer names.
const (
	ofPacket       = netlink.HeaderType(unix.NFNL_SUBSYS_QUEUE<<8 | 0)
	ofConfig       = netlink.HeaderType(unix.NFNL_SUBSYS_QUEUE<<8 | 2)
	ofVerdictBatch = netlink.HeaderType(unix.NFNL_SUBSYS_QUEUE<<8 | 3)

	packetHeader  = 1
	verdictHeader = 2

	configCommand = 1
	configParams  = 2
	configMaximum = 3
	configMask    = 4
	configFlags   = 5

	bind         = 1
	copyMeta     = 1
	wholeLarge   = 1 << 2 // what comes as one large packet goes on as one
	accept       = 1
	headerLength = 4
)

// queue is where the kernel hands over packets. It is asked and told directly, as what reads in goroutines of its
// own takes three times the CPU for each packet: docs/adr/0012-packets-held-by-a-program.md.
type queue struct {
	number uint16
	socket int
	buffer []byte
}

func openQueue(number uint16) (*queue, error) {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, err
	}
	if unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, unreadBytes) != nil {
		// No more than everybody may have; what does not fit into it is told in the end.
		if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_RCVBUF, unreadBytes); err != nil {
			return nil, err
		}
	}
	opened := &queue{number: number, socket: socket, buffer: make([]byte, os.Getpagesize())}
	if err := opened.configure(); err != nil {
		return nil, fmt.Errorf("no packet can be held here: %w", err)
	}
	return opened, nil
}

// configure binds the queue, which hands over what a packet is, and nothing that it carries.
func (q *queue) configure() error {
	order := binary.BigEndian
	commands := [][]netlink.Attribute{
		{{Type: configCommand, Data: []byte{bind, 0, 0, unix.AF_INET}}},
		{
			{Type: configParams, Data: append(order.AppendUint32(nil, 0), copyMeta)},
			{Type: configMaximum, Data: order.AppendUint32(nil, mostHeld)},
			{Type: configFlags, Data: order.AppendUint32(nil, wholeLarge)},
			{Type: configMask, Data: order.AppendUint32(nil, wholeLarge)},
		},
	}
	for _, attributes := range commands {
		if err := q.send(ofConfig, netlink.Request|netlink.Acknowledge, attributes); err != nil {
			return err
		}
		if _, err := q.receive(0); err != nil {
			return err
		}
	}
	return nil
}

// packet is the number of the next one that nobody has read yet; there is none where found is false.
func (q *queue) packet() (id uint32, found bool, err error) {
	for {
		message, err := q.receive(unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return 0, false, nil
		case errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.ENOENT):
			continue // what was lost on the way the kernel counts, and what is gone needs no verdict
		case err != nil:
			return 0, false, err
		}
		if message.Header.Type == ofPacket {
			id, err := packetNumber(message)
			return id, err == nil, err
		}
	}
}

func packetNumber(message netlink.Message) (uint32, error) {
	attributes, err := netlink.NewAttributeDecoder(message.Data[headerLength:])
	if err != nil {
		return 0, err
	}
	attributes.ByteOrder = binary.BigEndian
	for attributes.Next() {
		if attributes.Type() == packetHeader && len(attributes.Bytes()) >= 4 {
			return binary.BigEndian.Uint32(attributes.Bytes()), nil
		}
	}
	return 0, errors.Join(errors.New("a packet came without its number"), attributes.Err())
}

// letPass lets every packet go on up to this one.
func (q *queue) letPass(id uint32) error {
	verdict := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, accept), id)
	return q.send(ofVerdictBatch, netlink.Request, []netlink.Attribute{{Type: verdictHeader, Data: verdict}})
}

func (q *queue) send(kind netlink.HeaderType, flags netlink.HeaderFlags, attributes []netlink.Attribute) error {
	encoded, err := netlink.MarshalAttributes(attributes)
	if err != nil {
		return err
	}
	header := binary.BigEndian.AppendUint16([]byte{unix.AF_UNSPEC, unix.NFNETLINK_V0}, q.number)
	data := append(header, encoded...)
	length := uint32(unix.NLMSG_HDRLEN + len(data))
	message := netlink.Message{Header: netlink.Header{Length: length, Type: kind, Flags: flags}, Data: data}
	raw, err := message.MarshalBinary()
	if err != nil {
		return err
	}
	return unix.Sendto(q.socket, raw, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

// receive gives one message of the kernel's; where it complains, that is the error.
func (q *queue) receive(flags int) (netlink.Message, error) {
	var message netlink.Message
	length, _, err := unix.Recvfrom(q.socket, q.buffer, flags)
	if err != nil {
		return message, err
	}
	if err := message.UnmarshalBinary(q.buffer[:length]); err != nil {
		return message, err
	}
	if message.Header.Type == netlink.Error {
		if code := int32(binary.NativeEndian.Uint32(message.Data)); code != 0 {
			return message, unix.Errno(-code)
		}
	}
	return message, nil
}
