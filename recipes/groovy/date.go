package groovy

import (
	"strings"
	"time"
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
