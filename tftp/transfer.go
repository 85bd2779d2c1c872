package tftp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	minBlock     = 8
	plainBlock   = 512  // without an option (RFC 1350)
	maxBlock     = 1468 // fits an Ethernet frame of 1500 with IPv4, UDP and TFTP headers
	maxWindow    = 64   // more gains nothing
	firstTimeout = time.Second
	minTimeout   = 400 * time.Millisecond // firmware is slow at times
	patience     = 6 * time.Second        // that a silent client gets
	minTries     = 5                      // that it gets at least
	readAhead    = 64 << 10
	// longest is the longest wait for an answer, whatever was agreed on: a
	// client that asks for 255 seconds and is silent has a place for 2 minutes,
	// not for 21.
	longest = 2 * time.Minute / minTries
)

// transfer is one transfer: what was negotiated, and where it is.
type transfer struct {
	link   link
	src    *source
	block  int
	window int
	fixed  time.Duration // the timeout that was negotiated; 0: by what the client takes
	heard  *atomic.Int64 // when the client was last heard

	chunk   []byte // of the file, from block chunkAt on
	chunkAt int
	in      []byte
	now     time.Time     // when the client was last heard, or waited for in vain
	trip    time.Duration // smoothed round trip; 0: not known
	bytes   int64         // acknowledged
	resent  int           // blocks sent again
}

// negotiate settles the options and returns the OACK, nil when there is none.
func (t *transfer) negotiate(r *request, limitBlock, limitWindow int) []byte {
	t.block, t.window = plainBlock, 1
	oack := []byte{0, opOACK}
	if r.block.asked() {
		t.block = max(minBlock, min(r.block.value, limitBlock))
		oack = addOption(oack, r.block.name, int64(t.block))
	}
	if r.timeout.asked() {
		t.fixed = time.Duration(r.timeout.value) * time.Second
		oack = addOption(oack, r.timeout.name, int64(r.timeout.value))
	}
	if r.size.asked() {
		oack = addOption(oack, r.size.name, t.src.size)
	}
	if r.window.asked() {
		t.window = min(r.window.value, limitWindow)
		oack = addOption(oack, r.window.name, int64(t.window))
	}
	if len(oack) == 2 {
		return nil
	}
	return oack
}

// run sends the file. It returns nil once the client has acknowledged all.
func (t *transfer) run(ctx context.Context, oack []byte) error {
	t.in, t.now = make([]byte, 512), time.Now()
	if oack != nil {
		if _, err := t.exchange(ctx, 0, 0, func() error { return t.link.packet(oack) }); err != nil {
			return err
		}
	}
	blocks := int(t.src.size/int64(t.block)) + 1
	for base := 0; base < blocks; {
		n := min(t.window, blocks-base)
		acked, err := t.exchange(ctx, base, n, func() error { return t.send(base, n) })
		if err != nil {
			return err
		}
		base = acked
		t.bytes = min(int64(base)*int64(t.block), t.src.size)
	}
	return nil
}

// send sends n blocks after base.
func (t *transfer) send(base, n int) error {
	if err := t.load(base, n); err != nil {
		return err
	}
	from := (base - t.chunkAt) * t.block
	return t.link.blocks(uint16(base+1), t.chunk[from:min(from+n*t.block, len(t.chunk))], t.block, n)
}

// load reads what blocks base to base+n hold, and a bit ahead.
func (t *transfer) load(base, n int) error {
	start := int64(base) * int64(t.block)
	want := min(int64(n*t.block), t.src.size-start)
	if t.chunk != nil && base >= t.chunkAt && start+want <= int64(t.chunkAt)*int64(t.block)+int64(len(t.chunk)) {
		return nil
	}
	turn := t.window * t.block
	size := min(int64(turn*max(1, readAhead/turn)), t.src.size-start)
	if int64(cap(t.chunk)) < size {
		t.chunk = make([]byte, size)
	}
	t.chunk, t.chunkAt = t.chunk[:size], base
	if size == 0 {
		return nil
	}
	if k, err := t.src.at.ReadAt(t.chunk, start); int64(k) < size {
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("%w: %w", ErrRead, err)
	}
	return nil
}

// exchange sends the n blocks after base (the OACK: base and n are 0) until
// the client acknowledges one of them, and returns how far it has come.
//
// A repeated acknowledgement of base tells that the first block of the window
// was lost (RFC 7440, 4): it is answered at once, unless it comes so early
// that it speaks of the window before. In lock-step it is never answered, or
// each block would go twice from then on (RFC 1123, 4.2.3.1).
func (t *transfer) exchange(ctx context.Context, base, n int, send func() error) (int, error) {
	wait, began, fast := t.timeout(), t.now, false
	for tries := 0; ; tries++ {
		if tries > 0 {
			t.resent += n
		}
		sent := t.now
		if err := send(); err != nil {
			return 0, t.sendFailed(err)
		}
		acked, nack, err := t.await(ctx, base, n, wait, fast)
		t.now = time.Now()
		if err == nil && !nack {
			t.heard.Store(t.now.UnixNano())
			if tries == 0 {
				t.measure(t.now.Sub(sent))
			}
			t.resent += base + n - acked
			return acked, nil
		}
		if nack {
			t.heard.Store(t.now.UnixNano())
			fast = true
			continue
		}
		if errors.Is(err, syscall.EMSGSIZE) {
			return 0, t.sendFailed(errSize) // a router has said so since
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		if tries+1 >= minTries && t.now.Sub(began) >= patience {
			return 0, ErrTimeout
		}
		if t.fixed == 0 {
			wait = min(2*wait, firstTimeout)
		}
	}
}

// await waits for an acknowledgement that moves the transfer on, or that asks
// for the window again.
func (t *transfer) await(ctx context.Context, base, n int, wait time.Duration, fast bool) (acked int, nack bool, err error) {
	until := t.now.Add(wait)
	for {
		k, err := t.link.receive(t.in, until, wait/4)
		if cause := context.Cause(ctx); cause != nil {
			return 0, false, t.stopped(cause)
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			return 0, false, fmt.Errorf("%w: its port is closed", ErrAborted)
		}
		if err != nil {
			return 0, false, err
		}
		if k < 4 || t.in[0] != 0 {
			continue
		}
		switch t.in[1] {
		case opERROR:
			return 0, false, fmt.Errorf("%w: error %d", ErrAborted, binary.BigEndian.Uint16(t.in[2:]))
		case opACK:
			// Block numbers wrap; what is not of this window is late or foreign.
			d := int(int16(binary.BigEndian.Uint16(t.in[2:]) - uint16(base)))
			if d == 0 && n == 0 || d > 0 && d <= n {
				return base + d, false, nil
			}
			if d == 0 && t.window > 1 && !fast && time.Since(t.now) > t.trip/2 {
				return base, true, nil
			}
		}
	}
}

// timeout is how long the next exchange waits before it sends again.
func (t *transfer) timeout() time.Duration {
	switch {
	case t.fixed > 0:
		return min(t.fixed, longest)
	case t.trip == 0:
		return firstTimeout
	}
	return max(minTimeout, min(8*t.trip, firstTimeout))
}

func (t *transfer) measure(trip time.Duration) {
	if t.trip == 0 {
		t.trip = trip
		return
	}
	t.trip += (trip - t.trip) / 8
}

// sendFailed tells the client, as far as it can be told, why nothing comes.
func (t *transfer) sendFailed(err error) error {
	switch {
	case errors.Is(err, ErrRead):
		_ = t.link.packet(errorPacket(codeOther, ErrRead.Error()))
		return err
	case errors.Is(err, errSize):
		_ = t.link.packet(errorPacket(codeOther, errSize.Error()))
		return fmt.Errorf("%w: blocks of %d bytes, path MTU %d", ErrMTU, t.block, t.link.mtu())
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: its port is closed", ErrAborted)
	}
	return fmt.Errorf("%w: %w", ErrSend, err)
}

// stopped is how a transfer ends whose context has ended.
func (t *transfer) stopped(cause error) error {
	if errors.Is(cause, errAnew) {
		return fmt.Errorf("%w: %w", ErrAborted, cause)
	}
	_ = t.link.packet(errorPacket(codeOther, ErrStopped.Error()))
	return ErrStopped
}
