package groovy

import (
	"math/big"
	"strings"
	"time"
)

// dateFormat is a java.text.SimpleDateFormat.
type dateFormat struct {
	pattern string
	zone    *zone
	week    week
	strict  bool
	century int64 // the first year that two digits may mean; 0: 80 years ago
}

// dateParser reads a text by a pattern; pos is how far it has come.
type dateParser struct {
	f        *dateFormat
	s        string
	pos      int
	c        *calendar
	weekYear int64
	hasWeek  bool // the pattern has a year of weeks
}

// parse is SimpleDateFormat.parse from a place of a text on; it says where
// what it read ends, or where it could not go on.
func (f *dateFormat) parse(s string, from int) (t time.Time, end int, err error) {
	list, err := datePieces(f.pattern)
	if err != nil {
		return t, 0, err
	}
	p := &dateParser{f: f, s: s, pos: from, c: newCalendar(f.zone, f.week)}
	p.c.strict = f.strict
	p.c.cleared()
	for i, piece := range list {
		if !p.piece(piece, i+1 < len(list) && list[i+1].numeric()) {
			return t, p.pos, unparseable(s, p.pos)
		}
	}
	if p.hasWeek {
		p.weekDate()
	}
	t, err = p.c.time()
	if err != nil || p.pos == from {
		return t, from, unparseable(s, from)
	}
	return t, p.pos, nil
}

func unparseable(s string, at int) error {
	err := Throw("ParseException", "Unparseable date: \"%s\"", s).(*raised)
	err.thrown.offset = at
	return err
}

// numeric says that the piece is read as a number, so that the one before it
// ends after its own digits.
func (p datePiece) numeric() bool {
	return p.letter != 0 && strings.IndexByte("GEazZX", p.letter) < 0 && (p.letter != 'M' && p.letter != 'L' || p.n < 3)
}

func (p *dateParser) piece(d datePiece, abuts bool) bool {
	if d.letter == 0 {
		rest := p.s[p.pos:]
		for n := 0; n < len(d.text); n++ {
			if n >= len(rest) || rest[n] != d.text[n] {
				return false
			}
			p.pos++
		}
		return true
	}
	for p.pos < len(p.s) && (p.s[p.pos] == ' ' || p.s[p.pos] == '\t') {
		p.pos++
	}
	switch d.letter {
	case 'G':
		return p.name(fEra, 0, "BC", "AD")
	case 'E':
		return p.name(fDayOfWeek, 1, "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
	case 'a':
		return p.name(fAmPm, 0, "AM", "PM")
	case 'z', 'Z', 'X':
		return p.offset(d)
	case 'M', 'L':
		if d.n > 2 {
			return p.name(fMonth, 0, "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
		}
	}
	start := p.pos
	n, ok := p.number(d.n, abuts)
	if !ok {
		return false
	}
	if (d.letter == 'y' || d.letter == 'Y') && d.n <= 2 && p.pos-start == 2 && n >= 0 {
		n = p.f.fullYear(n)
	}
	return p.set(d.letter, n)
}

// fullYear is the year of two digits: from 80 years ago to 20 years ahead.
func (f *dateFormat) fullYear(n int64) int64 {
	first := f.century
	if first == 0 {
		first = int64(time.Now().Year()) - 80
	}
	n += first / 100 * 100
	if n < first {
		n += 100
	}
	return n
}

// set puts the number that a letter stands for into its field.
func (p *dateParser) set(letter byte, n int64) bool {
	switch letter {
	case 'Y':
		p.weekYear, p.hasWeek = n, true
		return true
	case 'M', 'L':
		n--
	case 'k', 'h':
		hours := int64(24)
		if letter == 'h' {
			hours = 12
		}
		if p.f.strict && (n < 1 || n > hours) {
			return false
		}
		if n == hours {
			n = 0
		}
	case 'u':
		if p.f.strict && (n < 1 || n > 7) {
			return false
		}
		n = n%7 + 1
	}
	p.c.put(letterField(letter), n)
	return true
}

// number reads a whole number, of at most n digits when the next piece abuts.
func (p *dateParser) number(n int, abuts bool) (int64, bool) {
	end := len(p.s)
	if abuts {
		if end = p.pos + n; end > len(p.s) {
			return 0, false
		}
	}
	i := p.pos
	if i < end && p.s[i] == '-' {
		i++
	}
	first := i
	for i < end && p.s[i] >= '0' && p.s[i] <= '9' {
		i++
	}
	if i == first || i-first > 100 {
		return 0, false
	}
	v, _ := new(big.Int).SetString(p.s[p.pos:i], 10)
	p.pos = i
	return int64(int32(v.Int64())), true
}

// name reads one of the names, or the first three letters of it.
func (p *dateParser) name(field, first int64, names ...string) bool {
	for i, n := range names {
		for _, form := range []string{n, n[:min(3, len(n))]} {
			if rest := p.s[p.pos:]; len(rest) >= len(form) && strings.EqualFold(rest[:len(form)], form) {
				p.pos += len(form)
				p.c.put(field, first+int64(i))
				return true
			}
		}
	}
	return false
}

// offset reads a time zone: +0200, GMT+02:00, Z, or an abbreviation.
func (p *dateParser) offset(d datePiece) bool {
	rest := p.s[p.pos:]
	if d.letter == 'X' {
		if strings.HasPrefix(rest, "Z") {
			p.pos++
			p.zone(0)
			return true
		}
		return p.digits(d.n == 3, d.n > 1)
	}
	if len(rest) > 0 && (rest[0] == '+' || rest[0] == '-') {
		return p.digits(false, true)
	}
	n := 0
	for n < len(rest) && (rest[n] >= 'A' && rest[n] <= 'Z' || rest[n] >= 'a' && rest[n] <= 'z') {
		n++
	}
	name := strings.ToUpper(rest[:n])
	if name == "GMT" && n < len(rest) && (rest[n] == '+' || rest[n] == '-') {
		p.pos += n
		return p.digits(true, true)
	}
	hours, ok := knownZones()[name]
	if sec, own := p.f.zone.offsetOf(name); own {
		p.zone(sec)
	} else if ok {
		p.zone(hours * 3600)
	} else {
		return false
	}
	p.pos += n
	return true
}

// offsetOf is the offset that an abbreviation means in the zone itself.
func (z *zone) offsetOf(name string) (seconds int, ok bool) {
	for m := range 12 {
		t := time.Date(time.Now().Year(), time.Month(m+1), 1, 0, 0, 0, 0, time.UTC).In(z.loc)
		if short, off := t.Zone(); short == name {
			return off, true
		}
	}
	return 0, false
}

func (p *dateParser) zone(seconds int) {
	p.c.put(fZoneOffset, int64(seconds)*1000)
	p.c.put(fDSTOffset, 0)
}

// digits reads +02, +0200 or +02:00.
func (p *dateParser) digits(colon, minutes bool) bool {
	s := p.s[p.pos:]
	n := 3 + 2*boolInt(minutes) + boolInt(colon)
	if len(s) < n || s[0] != '+' && s[0] != '-' {
		return false
	}
	two := func(i int) int {
		if !digits(s[i : i+2]) {
			return 100
		}
		return int(s[i]-'0')*10 + int(s[i+1]-'0')
	}
	h, m := two(1), 0
	if minutes {
		m = two(n - 2)
	}
	if h > 23 || m > 59 || colon && s[3] != ':' {
		return false
	}
	sec := h*3600 + m*60
	if s[0] == '-' {
		sec = -sec
	}
	p.pos += n
	p.zone(sec)
	return true
}

// weekDate makes year, week and day of the week one day.
func (p *dateParser) weekDate() {
	c := p.c
	n, dow := c.val[fWeekOfYear], c.val[fDayOfWeek]
	y, m, d := dateOf(onOrBefore(c.week.start(dayOf(p.weekYear, 0, 1))+6, dow) + 7*(n-1))
	c.stamp[fDayOfWeek], c.stamp[fWeekOfYear] = 0, 0
	c.put(fYear, y)
	c.put(fMonth, m)
	c.put(fDate, d)
}
