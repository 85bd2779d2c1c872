package groovy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Date is a java.util.Date, and a java.util.Calendar when it has a zone.
type Date struct {
	t        time.Time
	calendar bool
	class    string // of java.sql; empty: java.util.Date
}

// NewDate makes a java.util.Date.
func NewDate(t time.Time) *Date { return &Date{t: t} }

// Type names the class.
func (d *Date) Type() string {
	if d.calendar {
		return "java.util.GregorianCalendar"
	}
	if d.class != "" {
		return d.class
	}
	return "java.util.Date"
}

// String is Date.toString.
func (d *Date) String() string {
	switch d.class {
	case "java.sql.Timestamp":
		s := strings.TrimRight(d.t.Format("2006-01-02 15:04:05.000000000"), "0")
		return s + choose(strings.HasSuffix(s, "."), "0", "")
	case "java.sql.Date":
		return d.t.Format("2006-01-02")
	}
	return d.t.Format("Mon Jan 02 15:04:05 MST 2006")
}

// Key stands for the date as a key of a map.
func (d *Date) Key() string { return itoa(d.t.UnixMilli()) }

// Compare orders dates.
func (d *Date) Compare(v Value) (int, bool) {
	o, ok := v.(*Date)
	if !ok {
		return 0, false
	}
	return d.t.Compare(o.t), true
}

func (d *Date) in(pattern, zone string) string {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	s, _ := formatDate(pattern, d.t.In(loc))
	return s
}

// calendarFields are the fields of Calendar, by number.
func calendarFields() map[string]int64 {
	return map[string]int64{"ERA": 0, "YEAR": 1, "MONTH": 2, "WEEK_OF_YEAR": 3, "DATE": 5, "DAY_OF_MONTH": 5, "DAY_OF_YEAR": 6, "DAY_OF_WEEK": 7, "AM_PM": 9, "HOUR": 10, "HOUR_OF_DAY": 11, "MINUTE": 12, "SECOND": 13, "MILLISECOND": 14}
}

func (d *Date) field(n int64) Value {
	t := d.t
	switch n {
	case 1:
		return int64(t.Year())
	case 2:
		return int64(t.Month()) - 1
	case 5:
		return int64(t.Day())
	case 6:
		return int64(t.YearDay())
	case 7:
		return int64(t.Weekday()) + 1
	case 9:
		return int64(t.Hour() / 12)
	case 10:
		return int64(t.Hour() % 12)
	case 11:
		return int64(t.Hour())
	case 12:
		return int64(t.Minute())
	case 13:
		return int64(t.Second())
	case 14:
		return int64(t.Nanosecond() / 1e6)
	}
	return int64(0)
}

// shifted is the time n units of a field later.
func (d *Date) shifted(field, n int64) time.Time {
	n = min(max(n, -1e6), 1e9)
	switch field {
	case 1:
		return d.t.AddDate(int(n), 0, 0)
	case 2:
		return d.t.AddDate(0, int(n), 0)
	case 5, 6, 7:
		return d.t.AddDate(0, 0, int(n))
	case 3:
		return d.t.AddDate(0, 0, int(7*n))
	case 10, 11:
		return d.t.Add(time.Duration(n) * time.Hour)
	case 12:
		return d.t.Add(time.Duration(n) * time.Minute)
	case 13:
		return d.t.Add(time.Duration(n) * time.Second)
	case 14:
		return d.t.Add(time.Duration(n) * time.Millisecond)
	}
	return d.t
}

// Get reads a property.
func (d *Date) Get(_ *Thread, id string) (Value, error) {
	switch id {
	case "time":
		if d.calendar {
			return NewDate(d.t), nil
		}
		return Long(d.t.UnixMilli()), nil
	case "timeInMillis":
		return Long(d.t.UnixMilli()), nil
	case "year":
		return int64(d.t.Year() - 1900), nil
	case "month":
		return int64(d.t.Month()) - 1, nil
	case "date":
		return int64(d.t.Day()), nil
	case "day":
		return int64(d.t.Weekday()), nil
	case "hours":
		return int64(d.t.Hour()), nil
	case "minutes":
		return int64(d.t.Minute()), nil
	case "seconds":
		return int64(d.t.Second()), nil
	}
	return nil, ErrNoMember
}

// Set writes the time.
func (d *Date) Set(_ *Thread, id string, v Value) error {
	switch x := v.(type) {
	case *Date:
		if id == "time" {
			d.t = x.t
			return nil
		}
	default:
		if n, ok := Int(v); ok && (id == "time" || id == "timeInMillis") {
			d.t = time.UnixMilli(n).In(d.t.Location())
			return nil
		}
		if id == "timeZone" {
			loc, err := time.LoadLocation(Format(v))
			if err != nil {
				loc = time.UTC
			}
			d.t = d.t.In(loc)
			return nil
		}
	}
	return ErrNoMember
}

// Call calls a method.
func (d *Date) Call(t *Thread, id string, a []Value) (Value, error) {
	n, isInt := Int(arg(a, 0))
	o, isDate := arg(a, 0).(*Date)
	switch {
	case id == "format" && len(a) > 0:
		return text(formatDate(Format(a[0]), d.t))
	case id == "before" && isDate:
		return d.t.Before(o.t), nil
	case id == "after" && isDate:
		return d.t.After(o.t), nil
	case id == "minus" && isDate:
		return int64(d.t.Sub(o.t).Hours() / 24), nil
	case (id == "plus" || id == "minus") && isInt:
		if id == "minus" {
			n = -n
		}
		return &Date{t: d.shifted(5, n), calendar: d.calendar, class: d.class}, nil
	case id == "next":
		return &Date{t: d.shifted(5, 1), calendar: d.calendar, class: d.class}, nil
	case id == "previous":
		return &Date{t: d.shifted(5, -1), calendar: d.calendar, class: d.class}, nil
	case id == "get" && isInt || id == "getAt" && isInt:
		return d.field(n), nil
	case id == "add" && len(a) == 2:
		d.t = d.shifted(n, toInt(a[1]))
		return nil, nil
	case id == "set" && len(a) == 2:
		d.t = d.shifted(n, toInt(a[1])-toInt(d.field(n)))
		return nil, nil
	case id == "set" && len(a) >= 3:
		v := [6]int64{0, 0, 1, int64(d.t.Hour()), int64(d.t.Minute()), int64(d.t.Second())}
		for i := range min(len(a), 6) {
			v[i] = toInt(a[i])
		}
		d.t = time.Date(int(v[0]), time.Month(v[1]+1), int(v[2]), int(v[3]), int(v[4]), int(v[5]), d.t.Nanosecond(), d.t.Location())
		return nil, nil
	case id == "clearTime":
		y, m, day := d.t.Date()
		d.t = time.Date(y, m, day, 0, 0, 0, 0, d.t.Location())
		return d, nil
	case id == "clone":
		c := *d
		return &c, nil
	case id == "toTimestamp" || id == "toInstant":
		return d, nil
	}
	return nil, ErrNoMember
}

func dateClasses() []*Class {
	fields := map[string]Value{}
	for k, v := range calendarFields() {
		fields[k] = v
	}
	for i, m := range strings.Fields("JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER") {
		fields[m] = int64(i)
	}
	for i, m := range strings.Fields("SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY") {
		fields[m] = int64(i + 1)
	}
	calendar := func(*Thread, []Value) (Value, error) { return &Date{t: time.Now(), calendar: true}, nil }
	return []*Class{
		{Name: "Date", New: newDate, Static: statics("java.util.Date", nil, methods{
			"parse": function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return parseDate(Format(a[0]), Format(a[1]), time.Local) }),
		})},
		{Name: "Calendar", Static: statics("java.util.Calendar", fields, methods{"getInstance": function0(0, 2, calendar)})},
		{Name: "GregorianCalendar", New: func(t *Thread, a []Value) (Value, error) {
			d := &Date{t: time.Now(), calendar: true}
			if len(a) >= 3 {
				_, err := d.Call(t, "set", append(a, int64(0), int64(0), int64(0)))
				d.t = d.t.Truncate(time.Second)
				return d, err
			}
			return d, nil
		}},
		{Name: "SimpleDateFormat", New: newDateFormat},
		{Name: "TimeZone", Static: statics("java.util.TimeZone", nil, methods{
			"getTimeZone": fn1(func(_ *Thread, v Value) (Value, error) { return Format(v), nil }),
			"getDefault":  function0(0, 0, func(*Thread, []Value) (Value, error) { return time.Local.String(), nil }),
		})},
		{Name: "Locale", New: func(_ *Thread, a []Value) (Value, error) { return &Functions{Name: "java.util.Locale"}, nil },
			Static: statics("java.util.Locale", map[string]Value{"US": &Functions{Name: "java.util.Locale"}, "ENGLISH": &Functions{Name: "java.util.Locale"}, "ROOT": &Functions{Name: "java.util.Locale"}}, nil)},
	}
}

func newDate(_ *Thread, a []Value) (Value, error) {
	if len(a) == 0 {
		return NewDate(time.Now()), nil
	}
	if n, ok := Int(a[0]); ok && len(a) == 1 {
		return NewDate(time.UnixMilli(n)), nil
	}
	if len(a) >= 3 {
		v := [6]int64{}
		for i := range min(len(a), 6) {
			v[i] = toInt(a[i])
		}
		return NewDate(time.Date(int(v[0])+1900, time.Month(v[1]+1), int(v[2]), int(v[3]), int(v[4]), int(v[5]), 0, time.Local)), nil
	}
	return nil, Throw("IllegalArgumentException", "new Date(%s)", Format(a[0]))
}

func newDateFormat(_ *Thread, a []Value) (Value, error) {
	pattern := Format(arg(a, 0))
	if _, err := formatDate(pattern, time.Now()); err != nil {
		return nil, err
	}
	zone := time.Local
	return &Functions{Name: "java.text.SimpleDateFormat", Func: func(_ *Thread, id string, a []Value) (Value, error) {
		switch {
		case id == "format" && len(a) == 1:
			switch d := a[0].(type) {
			case *Date:
				return text(formatDate(pattern, d.t.In(zone)))
			default:
				if n, ok := Int(d); ok {
					return text(formatDate(pattern, time.UnixMilli(n).In(zone)))
				}
			}
		case id == "parse" && len(a) == 1:
			return parseDate(pattern, Format(a[0]), zone)
		case id == "setTimeZone" && len(a) == 1:
			loc, err := time.LoadLocation(Format(a[0]))
			if err != nil {
				loc = time.UTC
			}
			zone = loc
			return nil, nil
		case id == "setLenient":
			return nil, nil
		case id == "toPattern":
			return pattern, nil
		}
		return nil, ErrNoMember
	}}, nil
}

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
