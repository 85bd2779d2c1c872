package dhcp

import "golang.org/x/net/bpf"

// udpFilter passes Ethernet frames that hold an unfragmented IPv4 UDP datagram
// to one of two ports, so that other traffic never leaves the kernel; and of
// DHCP's only what came through no relay agent (giaddr is zero).
func udpFilter(port1, port2 uint32) []bpf.RawInstruction {
	return assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 12, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: etherIPv4, SkipTrue: 10},
		bpf.LoadAbsolute{Off: 23, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 17, SkipTrue: 8},
		bpf.LoadAbsolute{Off: 20, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: 6},
		bpf.LoadMemShift{Off: 14},
		bpf.LoadIndirect{Off: 16, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: port1, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: port2, SkipTrue: 2},
		bpf.LoadIndirect{Off: 14 + 8 + 24, Size: 4}, // giaddr; a shorter frame is dropped
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: 1 << 16},
	})
}

// ndFilter passes router solicitations and advertisements (ICMPv6 133, 134)
// without extension headers.
func ndFilter() []bpf.RawInstruction {
	return assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 12, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: etherIPv6, SkipTrue: 5},
		bpf.LoadAbsolute{Off: 20, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 58, SkipTrue: 3},
		bpf.LoadAbsolute{Off: 54, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: icmpSolicit, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: icmpAdvert, SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: 1 << 16},
	})
}

// assemble encodes a program that is a constant; a test loads each into the kernel.
func assemble(p []bpf.Instruction) []bpf.RawInstruction {
	raw, err := bpf.Assemble(p)
	if err != nil {
		return []bpf.RawInstruction{{Op: 0x06}} // passes nothing
	}
	return raw
}
