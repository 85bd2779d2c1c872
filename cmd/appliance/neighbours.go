package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"appliance/pool"
)

// neighbourPath is where the kernel says how many neighbours it remembers at
// the most; beyond that packets to a new one are dropped without a word.
const neighbourPath = "/proc/sys/net/ipv4/neigh/default/gc_thresh3"

// neighbourLimit reads it; 0 when nobody knows.
func neighbourLimit() int {
	b, err := os.ReadFile(neighbourPath)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(b))) // no number: nobody knows
	return n
}

// mayNeighbour is how many addresses may speak to the appliance without a
// router in between: what the subnets hand out, and as many BMCs.
func mayNeighbour(subnets []pool.Subnet) int {
	n := 0
	for _, s := range subnets {
		if !s.Prefix.Addr().Is4() || len(s.Relays) > 0 || s.Mode == pool.SubnetOff {
			continue
		}
		n += rangeSize(pool.Range{First: s.First, Last: s.Last})
		for _, r := range s.Pools {
			n += rangeSize(r)
		}
	}
	return 2 * n
}

func rangeSize(r pool.Range) int {
	if !r.First.Is4() || !r.Last.Is4() || r.Last.Less(r.First) {
		return 0
	}
	a, b := r.First.As4(), r.Last.As4()
	of := func(x [4]byte) int { return int(x[0])<<24 | int(x[1])<<16 | int(x[2])<<8 | int(x[3]) }
	return of(b) - of(a) + 1
}

// checkNeighbours says whether the kernel's table holds all that may be on the
// wire. It stands in nobody's way: a rack may have fewer machines than addresses.
func checkNeighbours(limit, need int) finding {
	f := finding{Check: "neighbour table", OK: true, Found: fmt.Sprintf("%d entries for at most %d machines and BMCs", limit, need)}
	switch {
	case limit == 0:
		f.Found = "nobody knows how large it is"
	case need > limit:
		f.Do = "with more than " + strconv.Itoa(limit/2) + " machines on the link make it larger, else some are not reached: " + neighbourRemedy(need)
	}
	return f
}

func neighbourRemedy(need int) string {
	n := 1024
	for n < need {
		n *= 2
	}
	return fmt.Sprintf("sysctl -w net.ipv4.neigh.default.gc_thresh1=%d net.ipv4.neigh.default.gc_thresh2=%d net.ipv4.neigh.default.gc_thresh3=%d", n/4, n/2, n)
}
