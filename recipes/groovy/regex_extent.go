package groovy

import "math"

// extent is how many characters what looks behind may take, as Java reckons:
// in 32 bits, which may overflow, and so Java takes some that have no most and
// finds nothing with others.
type extent struct {
	least, most int32
	known       bool // most is
}

// lookedBehind is the extent of n.
func lookedBehind(n *patternNode) extent {
	e := extent{known: true}
	e.add(&ahead{[]*patternNode{n}, nil})
	return e
}

// ahead is a row of nodes, and what comes after them.
type ahead struct {
	row  []*patternNode
	then *ahead
}

// reach is how far to look back, and how many characters have to be there for
// it to be tried.
func (e extent) reach() (least, most, there int) {
	if e.most < -1<<30 {
		return int(e.least), far, int(e.most) - math.MinInt32
	}
	return int(e.least), int(e.most), 0
}

// add adds what the nodes of a take in a row.
func (e *extent) add(a *ahead) {
	for a != nil {
		if len(a.row) == 0 {
			a = a.then
			continue
		}
		n := a.row[0]
		a = &ahead{a.row[1:], a.then}
		switch n.op {
		case opChar, opSet:
			e.least++
			e.most++
		case opCat, opGroup, opAtomic:
			if n.op == opAtomic && n.subs[0].op == opRepeat { // it is possessive
				if r := n.subs[0]; r.min == 0 && r.max == 1 {
					e.optional(r.subs[0])
				} else {
					e.times(r)
				}
				continue
			}
			a = &ahead{n.subs, a}
		case opAlt:
			if n.line {
				e.least++
				e.most += 2
				continue
			}
			e.either(n.subs, a)
			return
		case opRef:
			e.known = false
		case opRepeat:
			sub := n.subs[0]
			group := sub.op == opGroup || sub.op == opCat
			switch {
			case n.min == 0 && n.max == 1 && group:
				e.either([]*patternNode{sub, {op: opCat}}, a)
				return
			case n.min == 0 && n.max == 1:
				e.optional(sub)
			case n.max == endless && !n.lazy && sub.one() != nil:
				e.least += int32(n.min)
				e.most += math.MaxInt32
			case group && !sub.certain():
				e.known = false
			default:
				e.times(n)
			}
		case opLook, opPlace:
		}
	}
}

func (e *extent) optional(n *patternNode) {
	least := e.least
	e.add(&ahead{[]*patternNode{n}, nil})
	e.least = least
}

// times adds a repetition.
func (e *extent) times(n *patternNode) {
	one := extent{known: true}
	one.add(&ahead{n.subs, nil})
	least := one.least*int32(n.min) + e.least
	if least < e.least {
		least = 0xFFFFFFF
	}
	most := int32(math.MaxInt32)
	if n.max != endless {
		most = int32(n.max)
	}
	most = one.most*most + e.most
	e.known = e.known && one.known && most >= e.most
	if one.known {
		e.most = most
	}
	e.least = least
}

// either adds one of subs and then the rest.
func (e *extent) either(subs []*patternNode, rest *ahead) {
	least, most := int32(math.MaxInt32), int32(-1)
	for _, s := range subs {
		one := extent{known: true}
		one.add(&ahead{[]*patternNode{s}, nil})
		least, most = min(least, one.least), max(most, one.most)
		e.known = e.known && one.known
	}
	then := extent{known: true}
	then.add(rest)
	e.least += least + then.least
	e.most += most + then.most
	e.known = e.known && then.known
}
