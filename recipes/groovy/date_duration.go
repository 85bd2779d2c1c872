package groovy

import (
	"fmt"
	"strings"
	"time"
)

// span is a groovy.time duration: years, months, days, hours, minutes, seconds
// and milliseconds.
type span struct {
	v     [7]int64
	clock bool // it is of a time of the day: TimeDuration, not Duration
	datum bool // how long it is depends on the day that it begins
}

// spanParts are the properties, in the order of v.
func spanParts() []string {
	return []string{"years", "months", "days", "hours", "minutes", "seconds", "millis"}
}

// Type names the class.
func (s *span) Type() string {
	return "groovy.time." + choose(s.clock, "Time", "") + choose(s.datum, "DatumDependent", "") + "Duration"
}

// String is BaseDuration.toString.
func (s *span) String() string {
	var parts []string
	for i, n := range s.v[:5] {
		if n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, spanParts()[i]))
		}
	}
	if s.v[5] != 0 || s.v[6] != 0 {
		ms := s.v[6] % 1000
		sec := s.v[5] + s.v[6]/1000
		parts = append(parts, fmt.Sprintf("%s%d.%03d seconds", choose(sec == 0 && ms < 0, "-", ""), sec, max(ms, -ms)))
	}
	return first(strings.Join(parts, ", "), "0")
}

// millis is toMilliseconds: of what depends on a day, from now.
func (s *span) millis() int64 {
	if s.datum {
		now := time.Now()
		return s.after(now, 1).UnixMilli() - now.UnixMilli()
	}
	return (((s.v[2]*24+s.v[3])*60+s.v[4])*60+s.v[5])*1000 + s.v[6]
}

// Key stands for the duration as a key of a map.
func (s *span) Key() string { return s.Type() + s.String() }

// Compare orders durations.
func (s *span) Compare(v Value) (int, bool) {
	o, ok := v.(*span)
	if !ok {
		return 0, false
	}
	return cmpInt(s.millis(), o.millis()), true
}

// Equals says whether durations are as long.
func (s *span) Equals(v Value) bool {
	n, ok := s.Compare(v)
	return ok && n == 0
}

// after is the time that the duration, times sign, is after t.
func (s *span) after(t time.Time, sign int64) time.Time {
	for i, field := range []int64{fYear, fMonth, fDate, fHour, fMinute, fSecond, fMillisecond} {
		if s.v[i] != 0 {
			t = shifted(t, field, sign*s.v[i])
		}
	}
	return t
}

// away is ago, and from.now: of a Duration the day's midnight.
func (s *span) away(sign int64) Value {
	t := s.after(time.Now(), sign)
	if !s.clock {
		f := fieldsOf(t, american())
		t = timeAt(f.day(), 0, t.Location())
	}
	return NewDate(t.Truncate(time.Millisecond))
}

// plus is the sum with o, times sign.
func (s *span) plus(o *span, sign int64) *span {
	sum := &span{clock: s.clock || o.clock, datum: s.datum || o.datum}
	for i := range sum.v {
		sum.v[i] = s.v[i] + sign*o.v[i]
	}
	return sum
}

// Get reads a property.
func (s *span) Get(_ *Thread, id string) (Value, error) {
	for i, p := range spanParts() {
		if p == id {
			return s.v[i], nil
		}
	}
	switch id {
	case "ago":
		return s.away(-1), nil
	case "from":
		return &Functions{Name: "groovy.time.BaseDuration$From", Func: func(_ *Thread, id string, _ []Value) (Value, error) {
			if id != "getNow" {
				return nil, ErrNoMember
			}
			return s.away(1), nil
		}}, nil
	}
	return nil, ErrNoMember
}

// Set refuses.
func (*span) Set(*Thread, string, Value) error { return ErrNoMember }

// Call calls a method.
func (s *span) Call(_ *Thread, id string, a []Value) (Value, error) {
	switch {
	case id == "toMilliseconds" && len(a) == 0:
		return Long(s.millis()), nil
	case (id == "plus" || id == "minus") && len(a) == 1:
		sign := int64(2*boolInt(id == "plus") - 1)
		switch x := a[0].(type) {
		case *span:
			return s.plus(x, sign), nil
		case *Date:
			if sign > 0 && x.cal == nil {
				return NewDate(s.after(x.t, 1)), nil
			}
		}
	}
	return nil, ErrNoMember
}

func durationClasses() []*Class {
	make := func(id string, clock, datum bool) *Class {
		return &Class{Name: id, New: func(_ *Thread, a []Value) (Value, error) {
			s := &span{clock: clock, datum: datum}
			if n := len(a); n != 5 && (n != 4 || !clock || datum) && (n != 6 || !datum) && (n != 7 || !datum) || datum && n < 6 {
				return nil, Throw("GroovyRuntimeException", "Could not find matching constructor for: groovy.time.%s(%s)", id, typeList(a))
			}
			for i, v := range a {
				s.v[len(s.v)-len(a)+i] = int64(int32(toInt(v)))
			}
			return s, nil
		}}
	}
	units := methods{"minus": function0(2, 2, func(_ *Thread, a []Value) (Value, error) {
		x, ok1 := a[0].(*Date)
		y, ok2 := a[1].(*Date)
		if s, ok := a[1].(*span); ok && ok1 {
			return NewDate(s.after(x.Time(), -1)), nil
		}
		if !ok1 || !ok2 {
			return nil, ErrNoMember
		}
		ms := x.Time().UnixMilli() - y.Time().UnixMilli()
		return &span{clock: true, v: [7]int64{2: ms / 86400000, ms / 3600000 % 24, ms / 60000 % 60, ms / 1000 % 60, ms % 1000}}, nil
	}), "plus": function0(2, 2, func(_ *Thread, a []Value) (Value, error) {
		x, ok1 := a[0].(*Date)
		s, ok2 := a[1].(*span)
		if !ok1 || !ok2 {
			return nil, ErrNoMember
		}
		return NewDate(s.after(x.Time(), 1)), nil
	})}
	unit := func(id string, i int, times int64) {
		fn := fn1(func(_ *Thread, v Value) (Value, error) {
			n, ok := v.(int64)
			if !ok {
				return nil, ErrNoMember
			}
			s := &span{clock: i > 2, datum: i < 2}
			s.v[i] = n * times
			return s, nil
		})
		units["get"+id], units["get"+id+"s"] = fn, fn
	}
	for i, id := range []string{"Year", "Month", "Day", "Hour", "Minute", "Second", "Millisecond"} {
		unit(id, i, 1)
	}
	unit("Week", 2, 7)
	return []*Class{make("Duration", false, false), make("TimeDuration", true, false), make("DatumDependentDuration", false, true), make("TimeDatumDependentDuration", true, true),
		{Name: "TimeCategory", Static: statics("groovy.time.TimeCategory", nil, units)}}
}
