package groovy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
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
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c == '\'':
			end := strings.IndexByte(pattern[i+1:], '\'')
			if end < 0 {
				return nil, Throw("IllegalArgumentException", "Unterminated quote")
			}
			t := pattern[i+1 : i+1+end]
			if end == 0 {
				t = "'"
			}
			list = append(list, datePiece{text: t})
			i += end + 2
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			if strings.IndexByte("yMdEHhmsSaZzXkKDuwL", c) < 0 {
				return nil, Throw("IllegalArgumentException", "Illegal pattern character '%c'", c)
			}
			n := 1
			for i+n < len(pattern) && pattern[i+n] == c {
				n++
			}
			list = append(list, datePiece{letter: c, n: n})
			i += n
		default:
			list = append(list, datePiece{text: string(c)})
			i++
		}
	}
	return list, nil
}

// formatDate is SimpleDateFormat.format.
func formatDate(pattern string, t time.Time) (string, error) {
	list, err := datePieces(pattern)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	num := func(v, n int) { fmt.Fprintf(&b, "%0*d", n, v) }
	for _, p := range list {
		switch p.letter {
		case 0:
			b.WriteString(p.text)
		case 'y', 'u':
			if p.n == 2 {
				num(t.Year()%100, 2)
			} else {
				num(t.Year(), p.n)
			}
		case 'M', 'L':
			switch {
			case p.n >= 4:
				b.WriteString(t.Month().String())
			case p.n == 3:
				b.WriteString(t.Format("Jan"))
			default:
				num(int(t.Month()), p.n)
			}
		case 'E':
			if p.n >= 4 {
				b.WriteString(t.Weekday().String())
			} else {
				b.WriteString(t.Format("Mon"))
			}
		case 'a':
			b.WriteString(t.Format("PM"))
		case 'Z':
			b.WriteString(t.Format("-0700"))
		case 'X':
			b.WriteString(t.Format([]string{"Z07", "Z0700", "Z07:00"}[min(p.n, 3)-1]))
		case 'z':
			b.WriteString(t.Format("MST"))
		default:
			num(dateNumber(p.letter, t), p.n)
		}
	}
	return b.String(), nil
}

func dateNumber(letter byte, t time.Time) int {
	switch letter {
	case 'd':
		return t.Day()
	case 'H':
		return t.Hour()
	case 'k':
		return (t.Hour()+23)%24 + 1
	case 'K':
		return t.Hour() % 12
	case 'h':
		return (t.Hour()+11)%12 + 1
	case 'm':
		return t.Minute()
	case 's':
		return t.Second()
	case 'S':
		return t.Nanosecond() / 1e6
	case 'D':
		return t.YearDay()
	case 'w':
		_, w := t.ISOWeek()
		return w
	}
	return 0
}

// parseDate is SimpleDateFormat.parse.
func parseDate(pattern, s string, loc *time.Location) (Value, error) {
	list, err := datePieces(pattern)
	if err != nil {
		return nil, err
	}
	fault := Throw("ParseException", "Unparseable date: \"%s\"", s)
	f := map[byte]int{'y': 1970, 'M': 1, 'd': 1}
	rest, pm := s, -1
	for i, p := range list {
		switch p.letter {
		case 0:
			var ok bool
			if rest, ok = strings.CutPrefix(rest, p.text); !ok {
				return nil, fault
			}
			continue
		case 'a':
			if len(rest) < 2 {
				return nil, fault
			}
			pm = boolInt(strings.EqualFold(rest[:2], "pm"))
			rest = rest[2:]
			continue
		case 'E', 'z':
			rest = strings.TrimLeftFunc(rest, unicode.IsLetter)
			continue
		case 'Z', 'X':
			z, n := zoneOf(rest)
			if n == 0 {
				return nil, fault
			}
			loc, rest = z, rest[n:]
			continue
		}
		if p.letter == 'M' && p.n >= 3 {
			m, n := monthOf(rest)
			if m == 0 {
				return nil, fault
			}
			f['M'], rest = m, rest[n:]
			continue
		}
		n := 0
		abutting := i+1 < len(list) && list[i+1].letter != 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' && (!abutting || n < p.n) {
			n++
		}
		v, err := strconv.Atoi(rest[:n])
		if err != nil {
			return nil, fault
		}
		if p.letter == 'y' && p.n <= 2 && n == 2 {
			v += 2000
			if v > time.Now().Year()+20 {
				v -= 100
			}
		}
		f[p.letter], rest = v, rest[n:]
	}
	hour := f['H'] + f['K'] + f['k']%24
	if h, ok := f['h']; ok {
		hour = h % 12
	}
	if pm == 1 {
		hour += 12
	}
	return NewDate(time.Date(f['y'], time.Month(f['M']), f['d'], hour, f['m'], f['s'], f['S']*1e6, loc)), nil
}

func monthOf(s string) (month, n int) {
	for m := time.January; m <= time.December; m++ {
		for _, name := range []string{m.String(), m.String()[:3]} {
			if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
				return int(m), len(name)
			}
		}
	}
	return 0, 0
}

func zoneOf(s string) (*time.Location, int) {
	if strings.HasPrefix(s, "Z") {
		return time.UTC, 1
	}
	for _, layout := range []string{"-07:00", "-0700"} {
		if len(s) >= len(layout) {
			if t, err := time.Parse(layout, s[:len(layout)]); err == nil {
				_, off := t.Zone()
				return time.FixedZone("", off), len(layout)
			}
		}
	}
	return nil, 0
}
