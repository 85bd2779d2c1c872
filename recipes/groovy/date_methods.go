package groovy

import (
	"slices"
	"time"
)

// sharedDateMethods are those that Date and Calendar have alike.
func sharedDateMethods() methods {
	before := func(sign int) method {
		return on(1, 1, func(_ *Thread, d *Date, a []Value) (Value, error) {
			n, ok := d.Compare(a[0])
			if o, _ := a[0].(*Date); !ok || (o.cal == nil) != (d.cal == nil) {
				if d.cal != nil {
					return false, nil
				}
				return nil, ErrNoMember
			}
			return n == sign, nil
		})
	}
	days := func(n int64) method {
		return on(0, 0, func(_ *Thread, d *Date, _ []Value) (Value, error) { return d.at(addDays(d.t, n)), nil })
	}
	changed := on(1, 1, func(_ *Thread, d *Date, a []Value) (Value, error) {
		c := d.copy()
		return c, c.setAll(a[0])
	})
	return methods{
		"before": before(-1), "after": before(1), "next": days(1), "previous": days(-1), "copyWith": changed, "updated": changed,
		"getAt": on(1, 1, func(t *Thread, d *Date, a []Value) (Value, error) { return t.fieldAt(d, a[0]) }),
		"clone": on(0, 0, func(_ *Thread, d *Date, _ []Value) (Value, error) { return d.copy(), nil }),
		"upto": on(2, 2, func(t *Thread, d *Date, a []Value) (Value, error) {
			return nil, t.countDays(d, a, 1, "earlier")
		}),
		"downto": on(2, 2, func(t *Thread, d *Date, a []Value) (Value, error) {
			return nil, t.countDays(d, a, -1, "later")
		}),
		"clearTime": on(0, 0, func(_ *Thread, d *Date, _ []Value) (Value, error) {
			f := d.fields()
			d.move(timeAt(f.day(), 0, d.t.Location()))
			return d, nil
		}),
	}
}

// dateMethods are those of java.util.Date.
func dateMethods() methods {
	m := sharedDateMethods()
	m["format"] = on(1, 2, func(_ *Thread, d *Date, a []Value) (Value, error) {
		t := d.t.Local()
		if len(a) == 2 {
			z, ok := a[1].(*zone)
			if !ok {
				return nil, ErrNoMember
			}
			t = t.In(z.loc)
		}
		return text(formatDate(Format(a[0]), t, american()))
	})
	plus := func(sign int64) method {
		return on(1, 1, func(_ *Thread, d *Date, a []Value) (Value, error) {
			if o, ok := a[0].(*Date); ok && sign < 0 && o.cal == nil {
				x, y := d.fields(), o.fields()
				return x.day() - y.day(), nil
			}
			if n, ok := Int(a[0]); ok {
				return d.at(addDays(d.t, sign*int64(int32(n)))), nil
			}
			s, ok := a[0].(*span)
			if !ok {
				return nil, ErrNoMember
			}
			return NewDate(s.after(d.t, sign)), nil
		})
	}
	m["plus"], m["minus"] = plus(1), plus(-1)
	m["putAt"] = on(2, 2, func(_ *Thread, d *Date, a []Value) (Value, error) {
		n, ok := fieldArg(a[0])
		if !ok {
			return nil, ErrNoMember
		}
		d.put(n, toInt(a[1]))
		return nil, nil
	})
	m["set"] = on(1, 1, func(_ *Thread, d *Date, a []Value) (Value, error) { return nil, d.setAll(a[0]) })
	m["toCalendar"] = on(0, 0, func(_ *Thread, d *Date, _ []Value) (Value, error) {
		return newCalendarAt(d.t, localZone(), american()), nil
	})
	as := func(class string) method {
		return on(0, 0, func(_ *Thread, d *Date, _ []Value) (Value, error) { return &Date{t: d.t, class: class}, nil })
	}
	m["toTimestamp"], m["toInstant"] = as("java.sql.Timestamp"), as("java.time.Instant")
	m["toEpochMilli"] = on(0, 0, func(_ *Thread, d *Date, _ []Value) (Value, error) {
		if d.class != "java.time.Instant" {
			return nil, ErrNoMember
		}
		return Long(d.t.UnixMilli()), nil
	})
	m["toGMTString"] = on(0, 0, func(_ *Thread, d *Date, _ []Value) (Value, error) {
		return d.utc("d MMM yyyy HH:mm:ss 'GMT'"), nil
	})
	m["toLocaleString"] = on(0, 0, func(_ *Thread, d *Date, _ []Value) (Value, error) {
		return text(formatDate("MMM d, yyyy, h:mm:ss a", d.t.Local(), american()))
	})
	return m
}

// fieldArg is a number of a field.
func fieldArg(v Value) (int64, bool) {
	n, ok := Int(v)
	return n, ok && n >= 0 && n < fieldCount
}

// fieldAt is date[Calendar.YEAR].
func (t *Thread) fieldAt(d *Date, v Value) (Value, error) {
	f := d.fields()
	if l, ok := v.(*List); ok { // date[YEAR, MONTH]
		if err := first2(t.charge(len(l.Elems)), t.deeper(8)); err != nil { // it may hold itself
			return nil, err
		}
		defer t.shallower(8)
		out := NewList()
		for _, e := range l.Elems {
			x, err := t.fieldAt(d, e)
			if err != nil {
				return nil, err
			}
			out.Elems = append(out.Elems, x)
		}
		return out, nil
	}
	n, ok := fieldArg(v)
	if !ok {
		if n, isInt := Int(v); isInt {
			return nil, Throw("ArrayIndexOutOfBoundsException", "Index %d out of bounds for length %d", n, fieldCount)
		}
		return nil, ErrNoMember
	}
	return f[n], nil
}

// setAll is set(year: 2024, ...); names that it does not know change nothing.
func (d *Date) setAll(v Value) error {
	m, ok := v.(*Map)
	if !ok {
		return ErrNoMember
	}
	c := d.calendar()
	for _, s := range m.entries() {
		names := []string{"year", "month", "date", "dayOfMonth", "hourOfDay", "minute", "second"}
		i := slices.Index(names, Format(s.k))
		if n, ok := Int(s.v); ok && i >= 0 {
			c.put([]int64{fYear, fMonth, fDate, fDate, fHourOfDay, fMinute, fSecond}[i], n)
		}
	}
	t, err := c.time()
	if err != nil {
		return err
	}
	d.move(withNanos(t.In(d.t.Location()), d.t))
	return nil
}

// countDays calls a closure with each day up or down to another.
func (t *Thread) countDays(d *Date, a []Value, step int64, wrong string) error {
	end, ok := a[0].(*Date)
	c, isClosure := a[1].(*Closure)
	if !ok || !isClosure {
		return ErrNoMember
	}
	if d.Time().Compare(end.Time())*int(step) > 0 {
		return Throw("GroovyRuntimeException", "The argument (%s) to %s() cannot be %s than the value (%s) it's called on.", end, choose(step > 0, "upto", "downto"), wrong, d)
	}
	for x := d; x.t.Compare(end.t)*int(step) <= 0; x = x.at(addDays(x.t, step)) {
		if err := t.charge(1); err != nil {
			return err
		}
		if err := t.Alloc(64); err != nil {
			return err
		}
		if _, err := t.callClosure(c, []Value{x}); err != nil {
			return err
		}
	}
	return nil
}

// daysTo is the range of two dates.
func (t *Thread) daysTo(a, b *Date, exclusive bool) (Value, error) {
	l, step := NewList(), int64(1)
	if a.Time().After(b.Time()) {
		step = -1
	}
	for x := a; x.Time().Compare(b.Time())*int(step) <= 0 && !(exclusive && x.t.Equal(b.t)); x = x.at(addDays(x.t, step)) {
		l.Elems = append(l.Elems, x)
		if err := t.grow(len(l.Elems), 64); err != nil {
			return nil, err
		}
		if err := t.charge(1); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// unixMilli is the time of a Date, or of a number of milliseconds.
func unixMilli(v Value) (time.Time, bool) {
	if d, ok := v.(*Date); ok {
		return d.Time(), true
	}
	if n, ok := Int(v); ok {
		return time.UnixMilli(n), true
	}
	return time.Time{}, false
}
