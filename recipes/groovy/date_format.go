package groovy

import (
	"fmt"
	"strings"
	"time"
)

// datePiece is a run of one pattern letter, or literal text.
type datePiece struct {
	letter byte // 0: text
	n      int
	text   string
}

func datePieces(pattern string) ([]datePiece, error) {
	if len(pattern) > 200 {
		return nil, Throw("IllegalArgumentException", "the date pattern is too long")
	}
	var list []datePiece
	literal := func(s string) {
		if n := len(list); n > 0 && list[n-1].letter == 0 {
			list[n-1].text += s
			return
		}
		list = append(list, datePiece{text: s})
	}
	quoted := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\'' && i+1 < len(pattern) && pattern[i+1] == '\'':
			literal("'")
			i++
		case c == '\'':
			quoted = !quoted
		case !quoted && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'):
			if strings.IndexByte("GyMdEHhmsSaZzXkKDFuwWYL", c) < 0 {
				return nil, Throw("IllegalArgumentException", "Illegal pattern character '%c'", c)
			}
			n := 1
			for i+n < len(pattern) && pattern[i+n] == c {
				n++
			}
			if c == 'X' && n > 3 {
				return nil, Throw("IllegalArgumentException", "invalid ISO 8601 format: length=%d", n)
			}
			list = append(list, datePiece{letter: c, n: n})
			i += n - 1
		default:
			literal(string(c))
		}
	}
	if quoted {
		return nil, Throw("IllegalArgumentException", "Unterminated quote")
	}
	return list, nil
}

// formatDate is SimpleDateFormat.format.
func formatDate(pattern string, t time.Time, w week) (string, error) {
	list, err := datePieces(pattern)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	f := fieldsOf(t, w)
	for _, p := range list {
		s, err := p.format(t, &f, w)
		if err != nil {
			return "", err
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

func (p datePiece) format(t time.Time, f *dateFields, w week) (string, error) {
	switch p.letter {
	case 0:
		return p.text, nil
	case 'y', 'Y':
		y := f[fYear]
		if p.letter == 'Y' {
			_, y = w.ofYear(f.year(), f.day())
		}
		if p.n == 2 {
			return fmt.Sprintf("%02d", y%100), nil
		}
		return fmt.Sprintf("%0*d", p.n, y), nil
	case 'G':
		return choose(f[fEra] == 0, "BC", "AD"), nil
	case 'M', 'L':
		if p.n >= 3 {
			name := time.Month(f[fMonth] + 1).String()
			return choose(p.n > 3, name, name[:3]), nil
		}
	case 'E':
		name := time.Weekday(f[fDayOfWeek] - 1).String()
		return choose(p.n > 3, name, name[:3]), nil
	case 'a':
		return choose(f[fAmPm] == 0, "AM", "PM"), nil
	case 'Z', 'X':
		off := int(f[fZoneOffset]+f[fDSTOffset]) / 1000
		switch {
		case p.letter == 'X' && off == 0:
			return "Z", nil
		case p.letter == 'X' && p.n == 1:
			return offsetText(off, false)[:3], nil
		}
		return offsetText(off, p.letter == 'X' && p.n == 3), nil
	case 'z':
		if p.n > 3 {
			return longName(t)
		}
		return abbreviation(t), nil
	}
	return fmt.Sprintf("%0*d", p.n, dateNumber(p.letter, f)), nil
}

// dateNumber is the number that a pattern letter stands for.
func dateNumber(letter byte, f *dateFields) int64 {
	switch letter {
	case 'M', 'L':
		return f[fMonth] + 1
	case 'k':
		return (f[fHourOfDay]+23)%24 + 1
	case 'h':
		return (f[fHour]+11)%12 + 1
	case 'u':
		return (f[fDayOfWeek]+5)%7 + 1
	}
	return f[letterField(letter)]
}

// letterField is the field that the number of a pattern letter is.
func letterField(letter byte) int64 {
	switch letter {
	case 'y':
		return fYear
	case 'M', 'L':
		return fMonth
	case 'd':
		return fDate
	case 'D':
		return fDayOfYear
	case 'E', 'u':
		return fDayOfWeek
	case 'F':
		return fDayOfWeekInMonth
	case 'w':
		return fWeekOfYear
	case 'W':
		return fWeekOfMonth
	case 'H', 'k':
		return fHourOfDay
	case 'h', 'K':
		return fHour
	case 'm':
		return fMinute
	case 's':
		return fSecond
	}
	return fMillisecond
}
