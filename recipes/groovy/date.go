package groovy

import (
	"strings"
	"time"
)

// Date is a java.util.Date, or a java.util.Calendar.
type Date struct {
	t     time.Time
	cal   *calendar // nil: no Calendar
	class string    // another class than java.util.Date
}

// NewDate makes a java.util.Date.
func NewDate(t time.Time) *Date { return &Date{t: t} }

// newCalendarAt makes a java.util.GregorianCalendar.
func newCalendarAt(t time.Time, z *zone, w week) *Date {
	return &Date{t: t.In(z.loc).Truncate(time.Millisecond), cal: newCalendar(z, w)}
}

// american is how weeks are counted where nothing else is said.
func american() week { return week{1, 1} }

// Type names the class.
func (d *Date) Type() string {
	if d.cal != nil {
		return "java.util.GregorianCalendar"
	}
	return first(d.class, "java.util.Date")
}

// Time is the date's moment.
func (d *Date) Time() time.Time {
	_ = d.settle() // a Calendar that has no time keeps the one that it had
	return d.t
}

// settle computes a Calendar's time of the fields that were set.
func (d *Date) settle() error {
	if d.cal == nil || d.cal.last < 2 {
		return nil
	}
	t, err := d.cal.time()
	if err != nil {
		return err
	}
	d.move(t)
	return nil
}

// move gives the date another time.
func (d *Date) move(t time.Time) {
	d.t = t
	if d.cal != nil {
		d.t = t.In(d.cal.zone.loc)
		d.cal.computed()
	}
}

func (d *Date) week() week {
	if d.cal != nil {
		return d.cal.week
	}
	return american()
}

func (d *Date) fields() dateFields { return fieldsOf(d.Time(), d.week()) }

// copy is the date as one of its own.
func (d *Date) copy() *Date {
	c := *d
	if d.cal != nil {
		k := *d.cal
		c.cal = &k
	}
	return &c
}

// at is a copy of the date with another time.
func (d *Date) at(t time.Time) *Date {
	c := d.copy()
	c.move(t)
	return c
}

// String is Date.toString.
func (d *Date) String() string {
	pattern := "EEE MMM dd HH:mm:ss z yyyy"
	t := d.Time()
	switch d.class {
	case "java.sql.Timestamp":
		s := strings.TrimRight(t.Format("2006-01-02 15:04:05.000000000"), "0")
		return s + choose(strings.HasSuffix(s, "."), "0", "")
	case "java.sql.Date":
		pattern = "yyyy-MM-dd"
	case "java.time.Instant":
		return t.UTC().Format("2006-01-02T15:04:05.999999999Z")
	}
	if d.cal != nil {
		return "java.util.GregorianCalendar[time=" + itoa(t.UnixMilli()) + ",zone=" + d.cal.zone.String() + "]"
	}
	s, _ := formatDate(pattern, t, american())
	return s
}

// Key stands for the date as a key of a map.
func (d *Date) Key() string { return itoa(d.Time().UnixMilli()) }

// Compare orders dates.
func (d *Date) Compare(v Value) (int, bool) {
	o, ok := v.(*Date)
	if !ok {
		return 0, false
	}
	return d.Time().Compare(o.Time()), true
}

// utc is the date in a pattern, at Greenwich.
func (d *Date) utc(pattern string) string {
	s, _ := formatDate(pattern, d.Time().UTC(), american())
	return s
}

// dateProperty is the field that a property of java.util.Date is, and what it
// counts from.
func dateProperty(id string) (field, from int64, ok bool) {
	switch id {
	case "year":
		return fYear, 1900, true
	case "month":
		return fMonth, 0, true
	case "date":
		return fDate, 0, true
	case "day":
		return fDayOfWeek, 1, true
	case "hours":
		return fHourOfDay, 0, true
	case "minutes":
		return fMinute, 0, true
	case "seconds":
		return fSecond, 0, true
	}
	return 0, 0, false
}

// Get reads a property.
func (d *Date) Get(_ *Thread, id string) (Value, error) {
	if err := d.settle(); err != nil {
		return nil, err
	}
	if d.cal != nil {
		return d.calendarProperty(id)
	}
	if field, from, ok := dateProperty(id); ok {
		f := d.fields()
		if field == fYear {
			f[fYear] = f.year()
		}
		return f[field] - from, nil
	}
	switch id {
	case "time":
		return Long(d.t.UnixMilli()), nil
	case "timezoneOffset":
		off, _ := offsetAt(d.t)
		return -off / 60, nil
	case "nanos":
		if d.class == "java.sql.Timestamp" {
			return int64(d.t.Nanosecond()), nil
		}
	case "epochSecond":
		if d.class == "java.time.Instant" {
			return Long(d.t.Unix()), nil
		}
	case "dateString":
		return text(formatDate("M/d/yy", d.t, american()))
	case "timeString":
		return text(formatDate("h:mm:ss a", d.t, american()))
	case "dateTimeString":
		return text(formatDate("M/d/yy, h:mm:ss a", d.t, american()))
	}
	return nil, ErrNoMember
}

// Set writes a property.
func (d *Date) Set(_ *Thread, id string, v Value) error {
	if d.cal != nil {
		return d.setCalendar(id, v)
	}
	n, ok := Int(v)
	if !ok {
		return ErrNoMember
	}
	if id == "time" {
		d.t = time.UnixMilli(n).In(d.t.Location())
		return nil
	}
	field, from, ok := dateProperty(id)
	if !ok || id == "day" {
		return ErrNoMember
	}
	d.put(field, from+n)
	return nil
}

// put sets one field at once.
func (d *Date) put(field, v int64) {
	c := d.calendar()
	c.put(field, v)
	if t, err := c.time(); err == nil {
		d.t = withNanos(t.In(d.t.Location()), d.t)
	}
}

// calendar is the date's fields, to change some of them.
func (d *Date) calendar() *calendar {
	c := newCalendar(&zone{loc: d.Time().Location()}, d.week())
	c.val = d.fields()
	return c
}

// Call calls a method.
func (d *Date) Call(t *Thread, id string, a []Value) (Value, error) {
	table := t.lib.dates
	if d.cal != nil {
		table = t.lib.calendars
		if id != "set" && id != "putAt" && id != "clear" && id != "isSet" {
			if err := d.settle(); err != nil {
				return nil, err
			}
		}
	}
	m, ok := table[id]
	if !ok {
		return nil, ErrNoMember
	}
	return m.apply(t, d, a)
}

func newDate(_ *Thread, a []Value) (Value, error) {
	n, isInt := Int(arg(a, 0))
	switch x := arg(a, 0).(type) {
	case nil:
		if len(a) == 0 {
			return NewDate(time.Now().Truncate(time.Millisecond)), nil
		}
	case *Date:
		if len(a) == 1 {
			return NewDate(x.Time().Local()), nil
		}
	case string:
		if len(a) == 1 {
			return legacyDate(x)
		}
	}
	switch {
	case isInt && len(a) == 1:
		return NewDate(time.UnixMilli(n)), nil
	case isInt && len(a) >= 3 && len(a) != 4 && len(a) < 7:
		v := dateInts(a)
		return NewDate(timeAt(dayOf(v[0]+1900, v[1], v[2]), ((v[3]*60+v[4])*60+v[5])*1000, time.Local)), nil
	}
	return nil, Throw("GroovyRuntimeException", "Could not find matching constructor for: java.util.Date(%s)", typeList(a))
}

// dateInts are year, month, day, hour, minute and second.
func dateInts(a []Value) (v [6]int64) {
	for i := range min(len(a), len(v)) {
		v[i] = int64(int32(toInt(a[i])))
	}
	return v
}

// legacyDate is new Date(String), of the forms that are common.
func legacyDate(s string) (Value, error) {
	for _, p := range []string{"EEE MMM dd HH:mm:ss z yyyy", "EEE, dd MMM yyyy HH:mm:ss z", "dd MMM yyyy HH:mm:ss z", "dd MMM yyyy HH:mm:ss", "dd MMM yyyy", "MMM dd, yyyy",
		"yyyy/MM/dd HH:mm:ss", "yyyy/MM/dd HH:mm", "yyyy/MM/dd", "MM/dd/yyyy HH:mm:ss", "MM/dd/yyyy HH:mm", "MM/dd/yyyy"} {
		f := &dateFormat{pattern: p, zone: localZone(), week: american(), strict: true}
		if t, end, err := f.parse(s, 0); err == nil && end == len(s) && t.Year() > 999 {
			return NewDate(t.Local()), nil
		}
	}
	return nil, Throw("IllegalArgumentException", "the date %q is not of a form that is read here: use Date.parse(pattern, text)", s)
}
