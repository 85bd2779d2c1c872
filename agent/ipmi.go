package agent

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"appliance/pool"
)

// The structures and requests of linux/ipmi.h on 64 bits.
type ipmiMessage struct {
	netFn, cmd uint8
	length     uint16
	data       unsafe.Pointer
}

type ipmiRequest struct {
	addr    unsafe.Pointer
	addrLen uint32
	id      int64
	msg     ipmiMessage
}

type ipmiReceive struct {
	kind    int32
	addr    unsafe.Pointer
	addrLen uint32
	id      int64
	msg     ipmiMessage
}

type ipmiAddress struct {
	kind    int32
	channel int16
	lun     uint8
}

const (
	ipmiSend             = 0x8028690d // IPMICTL_SEND_COMMAND
	ipmiReceiveTruncated = 0xc030690b
	ipmiSystemInterface  = 0x0c
	ipmiBMCChannel       = 0x0f
)

// ipmiDevice is the kernel's way to the BMC of this machine (/dev/ipmi0).
type ipmiDevice struct {
	file *os.File
	id   int64
}

// openIPMI opens the BMC's device, which appears a moment after its driver
// has found it. Errors wrap pool.ErrNotFound when the machine has no BMC: its
// driver does not stay loaded then.
func openIPMI() (*ipmiDevice, error) {
	for try := 0; ; try++ {
		f, err := os.OpenFile("/dev/ipmi0", os.O_RDWR, 0)
		if err == nil {
			return &ipmiDevice{file: f}, nil
		}
		_, si := os.Stat("/sys/module/ipmi_si")
		_, ssif := os.Stat("/sys/module/ipmi_ssif")
		if si != nil && ssif != nil || !errors.Is(err, os.ErrNotExist) || try == 60 {
			return nil, fmt.Errorf("%w: open BMC: %v", pool.ErrNotFound, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Close closes the device.
func (d *ipmiDevice) Close() error { return d.file.Close() }

// Command sends one command to the BMC and returns its answer without the
// completion code, which when it is not zero is a *completionError.
func (d *ipmiDevice) Command(netFn, cmd byte, data ...byte) ([]byte, error) {
	d.id++
	addr := ipmiAddress{kind: ipmiSystemInterface, channel: ipmiBMCChannel}
	req := ipmiRequest{addr: unsafe.Pointer(&addr), addrLen: uint32(unsafe.Sizeof(addr)), id: d.id,
		msg: ipmiMessage{netFn: netFn, cmd: cmd, length: uint16(len(data)), data: unsafe.Pointer(unsafe.SliceData(data))}}
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, d.file.Fd(), ipmiSend, uintptr(unsafe.Pointer(&req))); e != 0 {
		return nil, fmt.Errorf("IPMI command %02x %02x: %w", netFn, cmd, e)
	}
	for end := time.Now().Add(10 * time.Second); ; {
		b, id, err := d.receive(end)
		if err != nil {
			return nil, fmt.Errorf("IPMI command %02x %02x: %w", netFn, cmd, err)
		}
		switch {
		case id != d.id: // the late answer to a command that was given up
		case len(b) == 0:
			return nil, fmt.Errorf("%w: IPMI command %02x %02x: empty answer", pool.ErrUnavailable, netFn, cmd)
		case b[0] != 0:
			return nil, &completionError{netFn, cmd, b[0]}
		default:
			return b[1:], nil
		}
	}
}

func (d *ipmiDevice) receive(end time.Time) ([]byte, int64, error) {
	poll := []unix.PollFd{{Fd: int32(d.file.Fd()), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(poll, int(max(1, time.Until(end).Milliseconds())))
		if n == 1 {
			break
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return nil, 0, err
		}
		if time.Now().After(end) {
			return nil, 0, fmt.Errorf("%w: no answer in time", pool.ErrUnavailable)
		}
	}
	var addr ipmiAddress
	buf := make([]byte, 512)
	r := ipmiReceive{addr: unsafe.Pointer(&addr), addrLen: uint32(unsafe.Sizeof(addr)),
		msg: ipmiMessage{length: uint16(len(buf)), data: unsafe.Pointer(unsafe.SliceData(buf))}}
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, d.file.Fd(), ipmiReceiveTruncated, uintptr(unsafe.Pointer(&r))); e != 0 && e != unix.EMSGSIZE {
		return nil, 0, e
	}
	return buf[:r.msg.length], r.id, nil
}

// completionError is a completion code (IPMI 2.0, section 5.2).
type completionError struct{ netFn, cmd, code byte }

// Error implements error.
func (e *completionError) Error() string {
	return fmt.Sprintf("IPMI command %02x %02x: completion code 0x%02x", e.netFn, e.cmd, e.code)
}
