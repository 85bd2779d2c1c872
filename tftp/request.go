package tftp

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// Packet types and error codes (RFC 1350, 5 and appendix; RFC 2347).
const (
	opRRQ   = 1
	opWRQ   = 2
	opDATA  = 3
	opACK   = 4
	opERROR = 5
	opOACK  = 6

	codeOther    = 0
	codeNotFound = 1
	codeAccess   = 2
	codeBad      = 4
)

// request is a read request. An option that was not sent, or whose value no
// client may send, is zero: it stays out of the OACK (RFC 2347).
type request struct {
	name     string
	netascii bool
	block    option // RFC 2348: 8 to 65464
	timeout  option // RFC 2349: 1 to 255 seconds
	size     option // RFC 2349: whatever was sent, the answer is the size
	window   option // RFC 7440: 1 to 65535
}

// option is an asked-for value with the client's spelling of its name: case
// does not matter (RFC 2347), but firmware compares by the byte.
type option struct {
	name  string
	value int
}

func (o option) asked() bool { return o.name != "" }

// parse reads a packet that came to the server's port. It returns a read
// request, or the error to answer with, or nothing for what is no request.
func parse(p []byte) (req *request, code byte, why string) {
	if len(p) < 4 || p[0] != 0 || p[1] != opRRQ && p[1] != opWRQ {
		return nil, 0, ""
	}
	body := p[2:]
	if body[len(body)-1] != 0 {
		return nil, 0, "" // truncated
	}
	fields := bytes.Split(body[:len(body)-1], []byte{0})
	if len(fields) < 2 || len(fields[0]) == 0 || len(fields[0]) > 512 {
		return nil, 0, ""
	}
	mode := strings.ToLower(string(fields[1]))
	switch {
	case p[1] == opWRQ:
		return nil, codeAccess, "this server is read-only"
	case mode != "octet" && mode != "netascii":
		return nil, codeBad, "mode is not octet or netascii"
	}
	req = &request{name: string(fields[0]), netascii: mode == "netascii"}
	for o := fields[2:]; len(o) >= 2; o = o[2:] {
		req.option(string(o[0]), string(o[1]))
	}
	return req, 0, ""
}

// option takes one option over; of a repeated one the first counts.
func (r *request) option(name, value string) {
	var o *option
	low, high := 0, math.MaxInt
	switch strings.ToLower(name) {
	case "blksize":
		o, low, high = &r.block, minBlock, 65464
	case "timeout":
		o, low, high = &r.timeout, 1, 255
	case "tsize":
		o = &r.size
	case "windowsize":
		o, low, high = &r.window, 1, math.MaxUint16
	default:
		return
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high || o.asked() {
		return
	}
	*o = option{name, n}
}

// errorPacket is an ERROR packet.
func errorPacket(code byte, why string) []byte {
	return append(append([]byte{0, opERROR, 0, code}, why...), 0)
}

// addOption appends an option to an OACK.
func addOption(p []byte, name string, value int64) []byte {
	p = append(append(p, name...), 0)
	return append(strconv.AppendInt(p, value, 10), 0)
}
