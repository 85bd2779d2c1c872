package groovy

import (
	"unicode"
	"unicode/utf8"
)

// place says whether pos is a place of the kind that i asks for.
func (m *machine) place(i *patternInst, pos int) bool {
	switch i.char {
	case 'A':
		return pos == 0
	case '^':
		return pos == 0 && i.flags&flagLines == 0 || i.flags&flagLines != 0 && pos < len(m.s) && m.lineBegins(pos, i.flags&flagUnix != 0)
	case '$', 'Z':
		return m.lineStops(pos, i.flags&flagUnix != 0, i.char == '$' && i.flags&flagLines != 0)
	case 'z':
		return pos == len(m.s)
	case 'G':
		return pos == m.last
	case 'b', 'B':
		before := pos > 0 && m.wordAt(pos, -1, i.flags)
		after := pos < len(m.s) && m.wordAt(pos, 1, i.flags)
		return (before != after) == (i.char == 'b')
	}
	return false
}

// lineBegins says whether a line begins at pos, which is not the end.
func (m *machine) lineBegins(pos int, unix bool) bool {
	if pos == 0 {
		return true
	}
	c, _ := utf8.DecodeLastRuneInString(m.s[:pos])
	if unix {
		return c == '\n'
	}
	return isLineEnd(c) && (c != '\r' || m.s[pos] != '\n')
}

// lineStops says whether a line ends at pos: any, or the last.
func (m *machine) lineStops(pos int, unix, any bool) bool {
	if pos == len(m.s) {
		return true
	}
	c, n := utf8.DecodeRuneInString(m.s[pos:])
	switch {
	case unix:
		return c == '\n' && (any || pos+1 == len(m.s))
	case !isLineEnd(c), c == '\n' && pos > 0 && m.s[pos-1] == '\r':
		return false
	case any, pos+n == len(m.s):
		return true
	}
	return m.s[pos:] == "\r\n"
}

// wordAt says whether the character before pos (way is -1) or at it is of a word.
func (m *machine) wordAt(pos, way, flags int) bool {
	decode := func(pos, way int) (rune, int) {
		if way < 0 {
			return utf8.DecodeLastRuneInString(m.s[:pos])
		}
		return utf8.DecodeRuneInString(m.s[pos:])
	}
	c, _ := decode(pos, way)
	if c < utf8.RuneSelf {
		return c == '_' || isLetter(c) || isNumeral(c)
	}
	if flags&flagClasses != 0 {
		return unicode.In(c, unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc) || c == 0x200C || c == 0x200D
	}
	if unicode.IsLetter(c) || unicode.Is(unicode.Nd, c) {
		return true
	}
	for unicode.Is(unicode.Mn, c) { // it counts with the letter that carries it
		if way > 0 {
			way = -1
		} else {
			_, n := decode(pos, -1)
			pos -= n
		}
		if pos == 0 {
			return false
		}
		if c, _ = decode(pos, -1); unicode.IsLetter(c) || unicode.Is(unicode.Nd, c) {
			return true
		}
		m.fuel--
	}
	return false
}
