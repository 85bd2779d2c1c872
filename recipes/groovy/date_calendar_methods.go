package groovy

import (
	"strings"
	"time"
)

// calendarMethods are those of java.util.Calendar.
func calendarMethods() methods {
	m := sharedDateMethods()
	field := func(least int, fn func(d *Date, n int64, a []Value) (Value, error)) method {
		return on(least, least, func(_ *Thread, d *Date, a []Value) (Value, error) {
			n, ok := fieldArg(a[0])
			if !ok {
				return nil, ErrNoMember
			}
			return fn(d, n, a)
		})
	}
	m["get"] = m["getAt"]
	m["set"] = on(1, 6, func(_ *Thread, d *Date, a []Value) (Value, error) { return nil, d.setFields(a) })
	m["putAt"] = field(2, func(d *Date, n int64, a []Value) (Value, error) { return nil, d.setFields(a) })
	m["add"] = field(2, func(d *Date, n int64, a []Value) (Value, error) {
		d.move(shifted(d.t, n, toInt(a[1])))
		return nil, nil
	})
	m["roll"] = field(2, func(d *Date, n int64, a []Value) (Value, error) {
		by := toInt(a[1])
		if up, ok := a[1].(bool); ok {
			by = int64(2*boolInt(up) - 1)
		}
		d.move(d.cal.week.rolled(d.t, n, by))
		return nil, nil
	})
	m["clear"] = on(0, 1, func(_ *Thread, d *Date, a []Value) (Value, error) {
		if len(a) == 0 {
			d.cal.cleared()
			d.cal.last = 2
			return nil, nil
		}
		d.open()
		switch n := toInt(a[0]); n {
		case fYear:
			d.cal.put(n, 1970)
		case fMonth, fMinute, fSecond, fMillisecond:
			d.cal.put(n, 0)
		}
		return nil, nil
	})
	m["isSet"] = field(1, func(d *Date, n int64, _ []Value) (Value, error) { return d.cal.stamp[n] > 0, nil })
	m["getActualMaximum"] = field(1, func(d *Date, n int64, _ []Value) (Value, error) {
		f := d.fields()
		return d.cal.week.actualMax(n, &f), nil
	})
	m["getMaximum"] = field(1, func(_ *Date, n int64, _ []Value) (Value, error) { return fieldMax(n), nil })
	least := field(1, func(_ *Date, n int64, _ []Value) (Value, error) { return fieldMin(n), nil })
	m["getActualMinimum"], m["getMinimum"] = least, least
	m["getDisplayName"] = on(3, 3, func(_ *Thread, d *Date, a []Value) (Value, error) { return d.fieldText(a) })
	m["format"] = on(1, 1, func(_ *Thread, d *Date, a []Value) (Value, error) {
		return text(formatDate(Format(a[0]), d.t, d.cal.week))
	})
	m["minus"] = on(1, 1, func(_ *Thread, d *Date, a []Value) (Value, error) {
		o, ok := a[0].(*Date)
		if !ok || o.cal == nil {
			return nil, ErrNoMember
		}
		x, y := d.fields(), o.fields()
		return x.day() - y.day(), nil
	})
	m["isLeapYear"] = on(1, 1, func(_ *Thread, _ *Date, a []Value) (Value, error) {
		y := toInt(a[0])
		return dayOf(y, 2, 1)-dayOf(y, 1, 1) == 29, nil
	})
	m["toInstant"] = on(0, 0, func(_ *Thread, d *Date, _ []Value) (Value, error) {
		return &Date{t: d.t, class: "java.time.Instant"}, nil
	})
	return m
}

// open begins to set fields.
func (d *Date) open() {
	if d.cal.last < 2 {
		d.cal.val = fieldsOf(d.t, d.cal.week)
	}
}

// setFields is set(field, value), set(map) and set(year, month, day, ...).
func (d *Date) setFields(a []Value) error {
	if len(a) == 1 {
		return d.setAll(a[0])
	}
	d.open()
	if len(a) == 2 {
		n, ok := fieldArg(a[0])
		if !ok {
			return ErrNoMember
		}
		d.cal.put(n, int64(int32(toInt(a[1]))))
		return nil
	}
	if len(a) == 4 {
		return ErrNoMember
	}
	v := dateInts(a)
	for i, field := range []int64{fYear, fMonth, fDate, fHourOfDay, fMinute, fSecond}[:len(a)] {
		d.cal.put(field, v[i])
	}
	return nil
}

// calendarProperty reads a property of a Calendar.
func (d *Date) calendarProperty(id string) (Value, error) {
	switch id {
	case "time":
		return NewDate(d.t.Local()), nil
	case "timeInMillis":
		return Long(d.t.UnixMilli()), nil
	case "timeZone":
		return d.cal.zone, nil
	case "lenient":
		return !d.cal.strict, nil
	case "firstDayOfWeek":
		return d.cal.week.first, nil
	case "minimalDaysInFirstWeek":
		return d.cal.week.least, nil
	case "weekYear":
		f := d.fields()
		_, y := d.cal.week.ofYear(f.year(), f.day())
		return y, nil
	case "weeksInWeekYear":
		f := d.fields()
		w := d.cal.week
		_, y := w.ofYear(f.year(), f.day())
		return (w.start(dayOf(y+1, 0, 1)) - w.start(dayOf(y, 0, 1))) / 7, nil
	case "weekDateSupported":
		return true, nil
	}
	return nil, ErrNoMember
}

// setCalendar writes a property of a Calendar.
func (d *Date) setCalendar(id string, v Value) error {
	n, isInt := Int(v)
	switch x := v.(type) {
	case *Date:
		if id == "time" && x.cal == nil {
			d.move(x.Time())
			return nil
		}
	case *zone:
		if id == "timeZone" {
			t := d.Time()
			d.cal.zone = x
			d.move(t)
			return nil
		}
	case bool:
		if id == "lenient" {
			d.cal.strict = !x
			return nil
		}
	}
	switch {
	case id == "timeInMillis" && isInt:
		d.move(time.UnixMilli(n))
	case id == "firstDayOfWeek" && isInt && n > 0 && n < 8:
		d.cal.week.first = n
		d.refresh()
	case id == "minimalDaysInFirstWeek" && isInt && n > 0 && n < 8:
		d.cal.week.least = n
		d.refresh()
	default:
		return ErrNoMember
	}
	return nil
}

// refresh counts the weeks of a Calendar anew.
func (d *Date) refresh() { d.move(d.Time()) }

// fieldText is getDisplayName(field, style, locale); null for a field that has
// no names.
func (d *Date) fieldText(a []Value) (Value, error) {
	if err := english(a[2]); err != nil {
		return nil, err
	}
	letter, ok := map[int64]string{fMonth: "M", fDayOfWeek: "E", fAmPm: "a", fEra: "G"}[toInt(a[0])]
	if !ok {
		return nil, nil
	}
	return text(formatDate(strings.Repeat(letter, 3+boolInt(toInt(a[1]) == 2)), d.t, d.cal.week))
}
