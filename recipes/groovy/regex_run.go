package groovy

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// machine runs the programs of patterns over texts. It keeps its stack from
// one match to the next.
type machine struct {
	prog  *patternProg
	s     string
	last  int   // where the match before this ended, for \G
	whole bool  // a match has to end with s
	regs  []int // starts and ends of the groups, then what repetitions need
	stack []retry
	back  int // where a look-behind looks back from
	fuel  int // instructions until steps are charged
	most  int // entries of the stack
	t     *Thread
	err   error
}

// retry is what to do when a way leads nowhere: go on at pc and pos, or take
// the change of a register back.
type retry struct {
	pc   int32 // or ^register
	left int32 // of codeLoop: bytes that it may still give back, or characters that it may take; of codeRound 1
	pos  int
}

const (
	// patternWork is how many instructions cost a step.
	patternWork = 16
	retrySize   = 16
	maxRetries  = 64 << 20 / retrySize
)

// searchKind says which matches count.
type searchKind uint8

const (
	anywhere searchKind = iota
	here                // that begins where the search does
	entire              // and ends where the text does
)

// search finds the first match of prog in s that begins at from or later and
// returns the places of its groups; nil is none. last is where \G is.
func (t *Thread) search(prog *patternProg, s string, from, last int, kind searchKind) ([]int, error) {
	if err := t.charge(1 + prog.regs/32); err != nil {
		return nil, err
	}
	if t.machine == nil {
		t.machine = &machine{}
	}
	m := t.machine
	m.prog, m.s, m.t, m.last, m.whole, m.err = prog, s, t, last, kind == entire, nil
	m.fuel = patternWork
	m.most = int(min(maxRetries, max(0, t.limits.Bytes-t.bytes)/retrySize))
	if cap(m.regs) < prog.regs {
		m.regs = make([]int, prog.regs)
	}
	m.regs = m.regs[:prog.regs]
	found := m.search(from, kind != anywhere)
	m.s, m.t = "", nil
	if cap(m.stack) > 1<<16 {
		m.stack = nil
	}
	if m.err != nil || !found {
		return nil, m.err
	}
	place := make([]int, 2*prog.groups)
	copy(place, m.regs)
	return place, nil
}

func (m *machine) search(from int, here bool) bool {
	p := m.prog
	for i := range m.regs {
		m.regs[i] = -1
	}
	for at := from; at <= len(m.s); {
		if !here {
			if at = m.candidate(at); at < 0 {
				return false
			}
		}
		m.stack = m.stack[:0]
		end := m.run(0, at)
		if end >= 0 {
			m.regs[0], m.regs[1] = at, end
			return true
		}
		if m.err != nil || here || p.anchored && at == 0 || at >= len(m.s) {
			return false
		}
		for {
			c, n := utf8.DecodeRuneInString(m.s[at:])
			m.fuel--
			if at += n; p.line == nil || !p.line.has(c) || at >= len(m.s) {
				break
			}
		}
	}
	return false
}

// candidate is the next place where a match may begin; -1 when there is none.
func (m *machine) candidate(at int) int {
	p := m.prog
	switch {
	case p.anchored && at > 0:
		return -1
	case p.prefix != "":
		i := strings.Index(m.s[at:], p.prefix)
		m.burn(max(i, 0) / 64)
		if i < 0 {
			m.burn((len(m.s) - at) / 64)
			return -1
		}
		return at + i
	case p.first != nil:
		from := at
		for at < len(m.s) {
			n, ok := m.takes(p.first, at)
			if ok {
				break
			}
			at += n
		}
		if m.burn((at - from) / 8); at == len(m.s) {
			return -1
		}
	}
	return at
}

// burn counts n instructions; when it is time they are charged.
func (m *machine) burn(n int) bool {
	if m.fuel -= n; m.fuel > 0 {
		return true
	}
	steps := (patternWork - m.fuel) / patternWork
	m.fuel += steps * patternWork
	if err := m.t.charge(steps); err != nil && m.err == nil {
		m.err = err
	}
	return m.err == nil
}

func (m *machine) push(pc, pos, left int) {
	if len(m.stack) >= m.most {
		m.err = fmt.Errorf("%w: a pattern keeps more than %d ways to try", ErrLimit, m.most)
		return
	}
	m.stack = append(m.stack, retry{int32(pc), int32(left), pos})
}

// set changes a register, so that a retry takes it back.
func (m *machine) set(reg, val int) {
	m.push(^reg, m.regs[reg], 0)
	m.regs[reg] = val
}

// run runs the program from pc on at pos and returns where it matched to; -1
// when no way led there. Ways that are left stay above the stack as it was.
func (m *machine) run(pc, pos int) int {
	base := len(m.stack)
	insts := m.prog.insts
	for {
		if m.fuel--; m.fuel <= 0 && !m.burn(0) || m.err != nil {
			return -1
		}
		i := &insts[pc]
		ok := true
		pc++
		switch i.code {
		case codeMatch:
			if !m.whole || pos == len(m.s) || pc < len(insts) {
				return pos
			}
			ok = false
		case codeText:
			if ok = strings.HasPrefix(m.s[pos:], i.text); ok {
				pos += len(i.text)
			}
		case codeSet:
			var n int
			if n, ok = m.takes(i.set, pos); ok {
				pos += n
			}
		case codeLoop:
			pos, ok = m.loop(i, pc-1, pos)
		case codeSplit:
			m.push(i.y, pos, 0)
			pc = i.x
		case codeJump:
			pc = i.x
		case codeMark:
			m.set(i.x, pos)
		case codeGroup:
			m.set(2*i.x, m.regs[i.y])
			m.set(2*i.x+1, pos)
		case codeFirst:
			m.set(i.x, 1)
		case codeRound:
			pc = m.round(i, pc, pos)
		case codeLook, codeBehind, codeAtomic:
			var end int
			if end = m.aside(i, pos); end >= 0 {
				pc, pos = i.y, end
			} else {
				ok = false
			}
		case codeArrive:
			ok = pos == m.back
		case codeRef:
			pos, ok = m.ref(i, pos)
		case codePlace:
			ok = m.place(i, pos)
		}
		if ok {
			continue
		}
		if pc, pos, ok = m.retreat(base); !ok {
			return -1
		}
	}
}

// retreat goes back to the latest way that was not tried.
func (m *machine) retreat(base int) (pc, pos int, ok bool) {
	for len(m.stack) > base {
		top := len(m.stack) - 1
		r := &m.stack[top]
		if r.pc < 0 {
			m.regs[^r.pc] = r.pos
			m.stack = m.stack[:top]
			continue
		}
		i := &m.prog.insts[r.pc]
		switch {
		case r.left == 0:
		case i.code == codeLoop:
			if pc, pos, ok = m.loopAgain(i, r); ok {
				return pc, pos, true
			}
			continue
		case i.code == codeRound: // the round that a lazy repetition left out
			pc, pos = i.y, r.pos
			m.stack = m.stack[:top]
			if i.x >= 0 {
				m.set(i.x, m.regs[i.x]+1)
			}
			return pc, pos, true
		}
		pc, pos = int(r.pc), r.pos
		m.stack = m.stack[:top]
		return pc, pos, true
	}
	return 0, 0, false
}

// takes says whether a character of set is at pos, and how long it is.
func (m *machine) takes(set *charset, pos int) (int, bool) {
	if pos >= len(m.s) {
		return 0, false
	}
	if c := m.s[pos]; c < utf8.RuneSelf {
		return 1, set.ascii[c>>6]>>(c&63)&1 != 0
	}
	c, n := utf8.DecodeRuneInString(m.s[pos:])
	return n, set.has(c)
}

// loop takes characters of a set: as many as it may, or when lazy as few.
func (m *machine) loop(i *patternInst, pc, pos int) (int, bool) {
	most := i.max
	if i.lazy {
		most = i.min
	}
	n, least := 0, pos
	for ; n != most; n++ {
		w, ok := m.takes(i.set, pos)
		if !ok {
			break
		}
		if pos += w; n < i.min {
			least = pos
		}
	}
	m.burn(n / 4)
	if n < i.min {
		return pos, false
	}
	switch {
	case i.lazy && i.max == endless:
		m.push(pc, pos, 1<<31-1)
	case i.lazy && i.max > n:
		m.push(pc, pos, i.max-n)
	case !i.lazy && pos > least:
		m.push(pc, pos, min(pos-least, 1<<31-1))
	}
	return pos, true
}

// loopAgain is the next way of a loop: a character less, or when lazy more.
func (m *machine) loopAgain(i *patternInst, r *retry) (pc, pos int, ok bool) {
	pc = int(r.pc) + 1
	if i.lazy {
		n, ok := m.takes(i.set, r.pos)
		if pos = r.pos + n; !ok || r.left == 1 {
			m.stack = m.stack[:len(m.stack)-1]
			return pc, pos, ok
		}
		r.pos = pos
		if i.max != endless {
			r.left--
		}
		return pc, pos, true
	}
	for {
		_, n := utf8.DecodeLastRuneInString(m.s[:r.pos])
		r.pos -= n
		r.left -= int32(n)
		pos = r.pos
		if r.left <= 0 {
			m.stack = m.stack[:len(m.stack)-1]
			return pc, pos, true
		}
		if next := &m.prog.insts[pc]; next.code != codeText || m.s[pos] == next.text[0] {
			return pc, pos, true
		}
		if m.fuel--; m.fuel <= 0 && !m.burn(0) {
			return pc, pos, true
		}
	}
}

// round ends a round of a repetition and says where to go on; next is the
// instruction behind it.
func (m *machine) round(i *patternInst, next, pos int) int {
	if i.mark >= 0 && pos == m.regs[i.mark] {
		return next
	}
	if i.x >= 0 {
		count := m.regs[i.x]
		switch {
		case count < i.min:
			m.set(i.x, count+1)
			return i.y
		case count == i.max:
			return next
		}
	}
	if i.lazy {
		m.push(next-1, pos, 1)
		return next
	}
	m.push(next, pos, 0)
	if i.x >= 0 {
		m.set(i.x, m.regs[i.x]+1)
	}
	return i.y
}

// aside runs what looks around or is final. It returns where to go on; -1 when
// there is nothing.
func (m *machine) aside(i *patternInst, pos int) int {
	base := len(m.stack)
	end := -1
	if i.code != codeBehind {
		end = m.run(i.x, pos)
	} else if pos >= i.there*utf8.UTFMax || utf8.RuneCountInString(m.s[:pos]) >= i.there {
		back := m.back
		m.back = pos
		at := pos
		for n := 0; n <= i.max && end < 0 && m.err == nil; n++ {
			if n >= i.min {
				end = m.run(i.x, at)
			}
			if at == 0 {
				break
			}
			_, w := utf8.DecodeLastRuneInString(m.s[:at])
			at -= w
			m.fuel--
		}
		m.back = back
	}
	if m.err != nil {
		return -1
	}
	m.stack = m.stack[:base] // what its groups hold they keep, as in Java
	switch {
	case i.negative:
		return choose(end < 0, pos, -1)
	case i.code == codeAtomic, end < 0:
		return end
	}
	return pos
}

// ref is the text of a group once more.
func (m *machine) ref(i *patternInst, pos int) (int, bool) {
	if i.x >= m.prog.groups || m.regs[2*i.x] < 0 {
		return pos, false
	}
	text := m.s[m.regs[2*i.x]:m.regs[2*i.x+1]]
	if pos+len(text) <= len(m.s) {
		m.burn(len(text) / 16)
	}
	if i.flags&flagCase == 0 {
		return pos + len(text), strings.HasPrefix(m.s[pos:], text)
	}
	for _, a := range text {
		if pos >= len(m.s) {
			return pos, false
		}
		b, n := utf8.DecodeRuneInString(m.s[pos:])
		pos += n
		same := a == b || isLetter(a) && isLetter(b) && a|0x20 == b|0x20
		if !same && (i.flags&flagUnicodeCase == 0 || unicode.ToUpper(a) != unicode.ToUpper(b) && lowerOf(a) != lowerOf(b)) {
			return pos, false
		}
	}
	return pos, true
}
