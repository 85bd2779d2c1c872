package groovy

import (
	"strconv"
	"strings"
)

// maxWidth bounds width and precision.
const maxWidth = 10000

// parseSpecs reads the whole format: what is wrong with it is told before
// anything is printed.
func parseSpecs(f string) ([]spec, error) {
	var list []spec
	for f != "" {
		i := strings.IndexByte(f, '%')
		if i != 0 {
			if i < 0 {
				i = len(f)
			}
			list = append(list, spec{text: f[:i]})
			f = f[i:]
			continue
		}
		s, n, err := parseSpec(f)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
		f = f[n:]
	}
	return list, nil
}

func unknownConversion(c string) error {
	return Throw("UnknownFormatConversionException", "Conversion = '%s'", c)
}

// parseSpec reads the spec that f begins with, and says how long it is.
func parseSpec(f string) (s spec, n int, err error) {
	i := 1
	run := func(set string) string {
		j := i
		for i < len(f) && strings.IndexByte(set, f[i]) >= 0 {
			i++
		}
		return f[j:i]
	}
	index := run("0123456789")
	if index != "" && i < len(f) && f[i] == '$' {
		i++
	} else {
		index, i = "", 1
	}
	s.flags = run("-#+ 0,(<")
	width := run("0123456789")
	precision := ""
	if i+1 < len(f) && f[i] == '.' && f[i+1] >= '0' && f[i+1] <= '9' {
		i++
		precision = run("0123456789")
	}
	if i+1 < len(f) && (f[i] == 't' || f[i] == 'T') && isASCIILetter(f[i+1]) {
		s.date, s.upper = true, f[i] == 'T'
		i++
	}
	if i >= len(f) || f[i] != '%' && !isASCIILetter(f[i]) {
		return s, 0, unknownConversion(first(string([]rune(f)[min(1, len([]rune(f))-1):min(2, len([]rune(f)))]), "%"))
	}
	s.verb = f[i]
	if s.width, err = atMost(width, "IllegalFormatWidthException"); err != nil {
		return s, 0, err
	}
	if s.precision, err = atMost(precision, "IllegalFormatPrecisionException"); err != nil {
		return s, 0, err
	}
	if index != "" {
		if s.index, err = strconv.Atoi(index); err != nil || s.index == 0 {
			return s, 0, Throw("IllegalFormatArgumentIndexException", "Illegal format argument index = %s", index)
		}
	}
	if s.has('<') {
		s.index = -1
	}
	return s, i + 1, s.check()
}

func isASCIILetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// atMost is a width or precision; -1 when there is none.
func atMost(digits, class string) (int, error) {
	if digits == "" {
		return -1, nil
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n > 1<<31-1 {
		return 0, Throw(class, "-2147483648")
	}
	if n > maxWidth {
		return 0, Throw(class, "%d is more than the %d that are allowed here", n, maxWidth)
	}
	return n, nil
}

// check says what of the spec does not fit its conversion.
func (s *spec) check() error {
	for i := range s.flags {
		if strings.IndexByte(s.flags[i+1:], s.flags[i]) >= 0 {
			return Throw("DuplicateFormatFlagsException", "Flags = '%c'", s.flags[i])
		}
	}
	if s.date {
		if strings.IndexByte("HIklMSLNpzZsQBbhAaCYyjmdeRTrDFc", s.verb) < 0 {
			return unknownConversion("t" + string(s.verb))
		}
		return s.plain("#+ 0,(")
	}
	if strings.IndexByte("bBhHsScCdoxXeEfgGaAn%", s.verb) < 0 {
		return unknownConversion(string(s.verb))
	}
	if s.verb != '%' && s.verb < 'a' {
		s.verb, s.upper = s.verb|0x20, true
	}
	switch s.verb {
	case 'b', 'h':
		return s.general("#+ 0,(")
	case 's':
		return s.general("+ 0,(")
	case 'c':
		return s.plain("#+ 0,(")
	case 'd', 'o', 'x':
		if err := s.number(choose(s.verb == 'd', "#", ",")); err != nil {
			return err
		}
		if s.precision >= 0 {
			return Throw("IllegalFormatPrecisionException", "%d", s.precision)
		}
		return nil
	case 'a':
		return s.number("(,")
	case 'e':
		return s.number(",")
	case 'f':
		return s.number("")
	case 'g':
		return s.number("#")
	}
	switch {
	case s.precision >= 0:
		return Throw("IllegalFormatPrecisionException", "%d", s.precision)
	case s.verb == '%' && strings.Trim(s.flags, "-") != "", s.verb == 'n' && s.flags != "" && s.width < 0:
		return Throw("IllegalFormatFlagsException", "Flags = '%s'", s.shown())
	case s.verb == 'n' && s.width >= 0:
		return Throw("IllegalFormatWidthException", "%d", s.width)
	}
	return s.justified()
}

// justified wants a width for the flag -.
func (s *spec) justified() error {
	if s.has('-') && s.width < 0 {
		return Throw("MissingFormatWidthException", "%s", s)
	}
	return nil
}

func (s *spec) without(flags string) error {
	for _, f := range flags {
		if s.has(byte(f)) {
			return badFlag(*s, f)
		}
	}
	return nil
}

// general checks what takes a precision but none of some flags.
func (s *spec) general(not string) error {
	if strings.HasPrefix(not, "#") && s.has('#') {
		return badFlag(*s, '#')
	}
	if err := s.justified(); err != nil {
		return err
	}
	return s.without(not)
}

// plain checks what takes neither precision nor some flags.
func (s *spec) plain(not string) error {
	if s.precision >= 0 {
		return Throw("IllegalFormatPrecisionException", "%d", s.precision)
	}
	if err := s.without(not); err != nil {
		return err
	}
	return s.justified()
}

// number checks the flags of numbers.
func (s *spec) number(not string) error {
	switch {
	case s.width < 0 && (s.has('-') || s.has('0')):
		return Throw("MissingFormatWidthException", "%s", s)
	case s.has('+') && s.has(' '), s.has('-') && s.has('0'):
		return Throw("IllegalFormatFlagsException", "Flags = '%s'", s.shown())
	}
	return s.without(not)
}
