package groovy

import (
	"math"
	"math/big"
)

// hashCode is Object.hashCode of values whose hash Java defines. It orders a
// HashMap's keys.
func hashCode(v Value) int32 {
	nodes := maxNodes
	return hashOf(v, &nodes)
}

// hashOf is hashCode; nodes bounds the walk over collections that contain
// themselves, by way of each other, or share parts.
func hashOf(v Value, nodes *int) int32 {
	if *nodes--; *nodes < 0 {
		return 0
	}
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 1231
		}
		return 1237
	case string:
		return hashText(v)
	case Char:
		return int32(v)
	case Enum:
		return hashText(v.Name)
	case *Date:
		return hashLong(v.Time().UnixMilli())
	case *List, *Range, *Set, *Map, *entry:
		return hashCollection(v, nodes)
	}
	if rankOf(v) > 0 {
		return hashNumber(v)
	}
	return hashText(Format(v))
}

func hashCollection(v Value, nodes *int) int32 {
	h := int32(0)
	switch v := v.(type) {
	case *List:
		h = 1
		for _, e := range v.Elems {
			if *nodes < 0 {
				break
			}
			if e != Value(v) {
				h = 31*h + hashOf(e, nodes)
			}
		}
	case *Range: // IntRange.hashCode: Cantor's pairing of the bounds
		from, to := int32(min(v.From, v.To)), int32(max(v.From, v.To))
		return (from+to)*(from+to+1)/2 + to
	case *Set:
		for _, s := range v.m.slots {
			if !s.dead && *nodes >= 0 {
				h += hashOf(s.k, nodes)
			}
		}
	case *Map:
		for _, s := range v.slots {
			if !s.dead && *nodes >= 0 {
				h += hashOf(s.k, nodes) ^ hashOf(s.v, nodes)
			}
		}
	case *entry:
		return hashOf(v.k, nodes) ^ hashOf(v.val(), nodes)
	}
	return h
}

func hashNumber(v Value) int32 {
	switch v := v.(type) {
	case int64:
		return int32(v)
	case Byte:
		return int32(v)
	case Long:
		return hashLong(int64(v))
	case Float:
		return int32(math.Float32bits(float32(v)))
	case float64:
		return hashLong(int64(math.Float64bits(v)))
	case *big.Int:
		return hashBig(v)
	case *Decimal:
		return 31*hashBig(v.unscaled) + v.scale
	}
	return 0
}

func hashLong(n int64) int32 { return int32(n ^ n>>32) }

// hashBig is BigInteger.hashCode, over 32 bits of the magnitude at a time.
func hashBig(n *big.Int) int32 {
	b := n.Bytes()
	b = append(make([]byte, (4-len(b)%4)%4), b...)
	h := int32(0)
	for ; len(b) > 0; b = b[4:] {
		h = 31*h + (int32(b[0])<<24 | int32(b[1])<<16 | int32(b[2])<<8 | int32(b[3]))
	}
	return h * int32(n.Sign())
}

// hashText is String.hashCode, over UTF-16.
func hashText(s string) int32 {
	h := int32(0)
	for _, r := range s {
		if r > 0xffff {
			r -= 0x10000
			h = 31*(31*h+0xd800+r>>10) + 0xdc00 + r&0x3ff
			continue
		}
		h = 31*h + r
	}
	return h
}
