package groovy

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A pattern runs as a program of a machine that tries one way after another,
// in the order that Java tries them.

// patternCode says what an instruction does.
type patternCode uint8

const (
	codeMatch  patternCode = iota
	codeText               // text follows
	codeSet                // a character of set follows
	codeLoop               // min to max characters of set follow
	codeSplit              // go on at x, and if that fails at y
	codeJump               // go on at x
	codeMark               // remember the place in register x
	codeGroup              // group x is from the place in register y to here
	codeFirst              // the count in register x becomes 1
	codeRound              // a round of a repetition ends
	codeLook               // the code from x on matches from here, go on at y
	codeBehind             // as codeLook, up to here: min to max characters
	codeArrive             // the place is where codeBehind looks back from
	codeAtomic             // as codeLook; go on where it ended
	codeRef                // the text of group x follows
	codePlace
)

type patternInst struct {
	code     patternCode
	lazy     bool
	negative bool
	char     rune // of codePlace
	flags    int
	x, y     int
	min, max int
	there    int // of codeBehind: characters that have to be before the place
	mark     int // of codeRound: the register of where the round began; -1 when it cannot be empty
	text     string
	set      *charset
}

// patternProg is a program and what is known of all its matches.
type patternProg struct {
	insts  []patternInst
	groups int // with the whole match
	regs   int // of the groups and then of repetitions

	prefix   string   // every match begins with it
	anchored bool     // every match begins where the text does
	first    *charset // every match begins with one of these; nil is not known
	line     *charset // matches begin with as many of these as there are, so none begins between two; nil is not known
}

// assemble makes the program of n.
func assemble(n *patternNode, groups int) *patternProg {
	p := &patternProg{groups: groups, regs: 2 * groups}
	p.add(n)
	p.put(patternInst{code: codeMatch})
	p.study(n)
	return p
}

func (p *patternProg) put(i patternInst) int {
	p.insts = append(p.insts, i)
	return len(p.insts) - 1
}

func (p *patternProg) register() int {
	p.regs++
	return p.regs - 1
}

func (p *patternProg) add(n *patternNode) {
	switch n.op {
	case opChar:
		p.text([]*patternNode{n})
	case opSet:
		p.put(patternInst{code: codeSet, set: n.set})
	case opCat:
		for i := 0; i < len(n.subs); i++ {
			from := i
			for i < len(n.subs) && n.subs[i].op == opChar {
				i++
			}
			if p.text(n.subs[from:i]); i < len(n.subs) {
				p.add(n.subs[i])
			}
		}
	case opAlt:
		p.alternatives(n.subs)
	case opGroup:
		r := p.register()
		p.put(patternInst{code: codeMark, x: r})
		p.add(n.subs[0])
		p.put(patternInst{code: codeGroup, x: n.n, y: r})
	case opRepeat:
		p.repeat(n)
	case opLook, opAtomic:
		i := p.put(patternInst{code: codeLook, negative: n.negative})
		if n.op == opAtomic {
			p.insts[i].code = codeAtomic
		}
		if n.behind {
			p.insts[i].code = codeBehind
			p.insts[i].min, p.insts[i].max, p.insts[i].there = lookedBehind(n.subs[0]).reach()
		}
		p.insts[i].x = len(p.insts)
		p.add(n.subs[0])
		if n.behind {
			p.put(patternInst{code: codeArrive})
		}
		p.put(patternInst{code: codeMatch})
		p.insts[i].y = len(p.insts)
	case opRef:
		p.put(patternInst{code: codeRef, x: n.n, flags: n.flags})
	case opPlace:
		p.put(patternInst{code: codePlace, char: n.char, flags: n.flags})
	}
}

// text adds characters.
func (p *patternProg) text(list []*patternNode) {
	var b strings.Builder
	for _, n := range list {
		if !utf8.ValidRune(n.char) { // half of a character: no text has it
			p.put(patternInst{code: codeSet, set: newCharset(nil)})
		}
		b.WriteRune(n.char)
	}
	if len(list) > 0 {
		p.put(patternInst{code: codeText, text: b.String()})
	}
}

func (p *patternProg) alternatives(subs []*patternNode) {
	var ends []int
	for i, s := range subs {
		if i == len(subs)-1 {
			p.add(s)
			break
		}
		split := p.put(patternInst{code: codeSplit})
		p.insts[split].x = len(p.insts)
		p.add(s)
		ends = append(ends, p.put(patternInst{code: codeJump}))
		p.insts[split].y = len(p.insts)
	}
	for _, i := range ends {
		p.insts[i].x = len(p.insts)
	}
}

// repeat adds a repetition. With a limit its rounds are counted in a register;
// a round that took nothing is the last.
func (p *patternProg) repeat(n *patternNode) {
	sub, most := n.repeated()
	if set := sub.one(); set != nil {
		p.put(patternInst{code: codeLoop, set: set, min: n.min, max: n.max, lazy: n.lazy})
		return
	}
	if most == 0 {
		return
	}
	enter := -1
	if n.min == 0 {
		enter = p.put(patternInst{code: codeSplit, lazy: n.lazy})
		p.insts[enter].x = len(p.insts)
	}
	if most != 1 {
		p.rounds(n, sub)
	} else {
		p.add(sub)
	}
	if enter >= 0 {
		p.insts[enter].y = len(p.insts)
		if n.lazy {
			p.insts[enter].x, p.insts[enter].y = p.insts[enter].y, p.insts[enter].x
		}
	}
}

// repeated is what n repeats, and how often at most. Java keeps the groups in
// what can match in one way only when it goes back, and such rounds of no
// length it leaves out.
func (n *patternNode) repeated() (sub *patternNode, most int) {
	sub = n.subs[0]
	if (n.min != 0 || n.max != 1) && sub.certain() {
		if _, wide := sub.width(); wide == 0 && sub.op == opGroup {
			return sub, n.min
		}
		if sub.op == opGroup && sub.subs[0].keeps() {
			return &patternNode{op: opGroup, n: sub.n, subs: []*patternNode{{op: opAtomic, subs: sub.subs}}}, n.max
		}
		if sub.op == opCat && sub.keeps() {
			return &patternNode{op: opAtomic, subs: []*patternNode{sub}}, n.max
		}
	}
	for sub.op == opCat && len(sub.subs) == 1 {
		sub = sub.subs[0]
	}
	return sub, n.max
}

// rounds adds what is repeated, more than once at most.
func (p *patternProg) rounds(n, sub *patternNode) {
	round := patternInst{code: codeRound, min: n.min, max: n.max, lazy: n.lazy, mark: -1, x: -1}
	if n.min > 1 || n.max != endless {
		round.x = p.register()
		p.put(patternInst{code: codeFirst, x: round.x})
	}
	round.y = len(p.insts)
	if least, _ := sub.width(); least == 0 {
		round.mark = p.register()
		p.put(patternInst{code: codeMark, x: round.mark})
	}
	p.add(sub)
	p.put(round)
}

// certain says whether n can match in one way only, as far as Java notices.
func (n *patternNode) certain() bool {
	if n.op == opAlt && !n.line || n.op == opRepeat && n.min != n.max {
		return false
	}
	for _, s := range n.subs {
		if n.op != opLook && !s.certain() {
			return false
		}
	}
	return true
}

// keeps says whether Java does not go back into n when n is certain: it holds
// groups, or \R.
func (n *patternNode) keeps() bool {
	return n.op == opGroup || n.line || slices.ContainsFunc(n.subs, (*patternNode).keeps)
}

// one is the set of a node that is one character; nil of any other.
func (n *patternNode) one() *charset {
	if n.op == opChar {
		return newCharset(ranges{n.char, n.char})
	}
	return n.set
}

// far is a width that no text has.
const far = 1 << 30

// width is how many characters n matches, at least and at most; far stands
// for any number.
func (n *patternNode) width() (least, most int) {
	switch n.op {
	case opChar, opSet:
		return 1, 1
	case opCat:
		for _, s := range n.subs {
			a, b := s.width()
			least, most = min(least+a, far), min(most+b, far)
		}
	case opAlt:
		least = far
		for _, s := range n.subs {
			a, b := s.width()
			least, most = min(least, a), max(most, b)
		}
	case opGroup, opAtomic:
		return n.subs[0].width()
	case opRepeat:
		a, b := n.subs[0].width()
		least = times(a, n.min)
		if most = times(b, n.max); n.max == endless && b > 0 {
			most = far
		}
	case opRef:
		return 0, far
	case opLook, opPlace:
	}
	return least, most
}

// times is a*b, far at most.
func times(a, b int) int {
	if a > 0 && b > far/a {
		return far
	}
	return max(a*b, 0)
}

// study finds out where matches may begin.
func (p *patternProg) study(n *patternNode) {
	for n.op == opCat && len(n.subs) > 0 || n.op == opGroup {
		if n.op == opCat && n.subs[0].op == opChar {
			for _, s := range n.subs {
				if s.op != opChar || !utf8.ValidRune(s.char) {
					break
				}
				p.prefix += string(s.char)
			}
			return
		}
		n = n.subs[0]
	}
	switch {
	case n.op == opPlace:
		p.anchored = n.char == 'A' || n.char == '^' && n.flags&flagLines == 0
	case n.op == opSet:
		p.first = n.set
	case n.op == opRepeat && n.min > 0:
		p.first = n.subs[0].one()
	}
	refers := slices.ContainsFunc(p.insts, func(i patternInst) bool { return i.code == codeRef })
	if n.op == opRepeat && n.max == endless && n.min <= 1 && !n.lazy && !refers {
		p.line = n.subs[0].one()
	}
}
