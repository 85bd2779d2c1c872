package groovy

import (
	"maps"
	"slices"
	"strings"
	"time"
)

func dateClasses() []*Class {
	fields := map[string]Value{"DAY_OF_MONTH": int64(fDate), "SHORT": int64(1), "LONG": int64(2), "AM": int64(0), "PM": int64(1)}
	for i := range fieldCount {
		fields[fieldName(i)] = int64(i)
	}
	fields["DATE"] = int64(fDate)
	for i, m := range strings.Fields("JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER UNDECIMBER") {
		fields[m] = int64(i)
	}
	for i, m := range strings.Fields("SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY") {
		fields[m] = int64(i + 1)
	}
	styles := map[string]Value{"FULL": int64(0), "LONG": int64(1), "MEDIUM": int64(2), "SHORT": int64(3), "DEFAULT": int64(2)}
	style := func(pattern func(a []Value) (string, error), most int) method {
		return function0(0, most, func(_ *Thread, a []Value) (Value, error) {
			p, err := pattern(a)
			if err != nil {
				return nil, err
			}
			return &dateFormat{pattern: p, zone: localZone(), week: american()}, nil
		})
	}
	getInstance := function0(0, 2, func(_ *Thread, a []Value) (Value, error) { return calendarOf(a) })
	list := []*Class{
		{Name: "Date", New: newDate, Members: dateMembers(dateMethods(), "time year month date day hours minutes seconds timezoneOffset dateString timeString dateTimeString nanos epochSecond"), Static: statics("java.util.Date", nil, methods{"parse": function0(1, 3, parseStatic), "UTC": function0(6, 6, func(_ *Thread, a []Value) (Value, error) {
			v := dateInts(a)
			return Long(timeAt(dayOf(v[0]+1900, v[1], v[2]), ((v[3]*60+v[4])*60+v[5])*1000, time.UTC).UnixMilli()), nil
		})})},
		{Name: "Calendar", Static: statics("java.util.Calendar", fields, methods{"getInstance": getInstance})},
		{Name: "GregorianCalendar", New: newGregorian, Members: dateMembers(calendarMethods(), "time timeInMillis timeZone lenient firstDayOfWeek minimalDaysInFirstWeek weekYear weeksInWeekYear weekDateSupported"), Static: statics("java.util.GregorianCalendar", fields, methods{"getInstance": getInstance})},
		{Name: "SimpleDateFormat", New: newDateFormat},
		{Name: "DateFormat", Static: statics("java.text.DateFormat", styles, methods{
			"getDateInstance": style(func(a []Value) (string, error) { return datePattern(a, 0) }, 2), "getTimeInstance": style(func(a []Value) (string, error) { return timePattern(a, 0) }, 2),
			"getDateTimeInstance": style(func(a []Value) (string, error) {
				d, err := datePattern(a, 0)
				if err != nil {
					return "", err
				}
				t, err := timePattern(a, 1)
				return d + ", " + t, err
			}, 3),
		})},
		{Name: "TimeZone", Static: statics("java.util.TimeZone", map[string]Value{"SHORT": int64(0), "LONG": int64(1)}, methods{
			"getTimeZone": fn1(func(_ *Thread, v Value) (Value, error) {
				z, err := zoneNamed(Format(v))
				if err != nil {
					return nil, err
				}
				return z, nil
			}),
			"getDefault": function0(0, 0, func(*Thread, []Value) (Value, error) { return localZone(), nil }),
		})},
		localeClass(),
	}
	return append(list, durationClasses()...)
}

// dateMembers are the names that objects of a class answer.
func dateMembers(m methods, properties string) []string {
	return append(slices.Sorted(maps.Keys(m)), strings.Fields(properties)...)
}

// datePattern is DateFormat's of a style.
func datePattern(a []Value, i int) (string, error) {
	return styled(a, i, "EEEE, MMMM d, yyyy", "MMMM d, yyyy", "MMM d, yyyy", "M/d/yy")
}

func timePattern(a []Value, i int) (string, error) {
	return styled(a, i, "h:mm:ss a zzzz", "h:mm:ss a z", "h:mm:ss a", "h:mm a")
}

func styled(a []Value, i int, patterns ...string) (string, error) {
	n := int64(2)
	for k, v := range a {
		if s, ok := Int(v); ok && k == i {
			n = s
		} else if !ok {
			if err := english(v); err != nil {
				return "", err
			}
		}
	}
	if n < 0 || n >= int64(len(patterns)) {
		return "", Throw("IllegalArgumentException", "Illegal date style %d", n)
	}
	return patterns[n], nil
}

// calendarOf is Calendar.getInstance(zone, locale).
func calendarOf(a []Value) (*Date, error) {
	z, w := localZone(), american()
	for _, v := range a {
		switch v := v.(type) {
		case *zone:
			z = v
		case *locale:
			var err error
			if w, err = v.week(); err != nil {
				return nil, err
			}
		default:
			return nil, ErrNoMember
		}
	}
	return newCalendarAt(time.Now(), z, w), nil
}

func newGregorian(_ *Thread, a []Value) (Value, error) {
	if _, ok := Int(arg(a, 0)); !ok {
		return calendarOf(a)
	}
	if len(a) < 3 || len(a) == 4 || len(a) > 6 {
		return nil, Throw("GroovyRuntimeException", "Could not find matching constructor for: java.util.GregorianCalendar(%s)", typeList(a))
	}
	v := dateInts(a)
	return newCalendarAt(timeAt(dayOf(v[0], v[1], v[2]), ((v[3]*60+v[4])*60+v[5])*1000, time.Local), localZone(), american()), nil
}

// parseStatic is Date.parse(pattern, text, zone).
func parseStatic(_ *Thread, a []Value) (Value, error) {
	if len(a) == 1 {
		d, err := legacyDate(Format(a[0]))
		if err != nil {
			return nil, err
		}
		return Long(d.(*Date).t.UnixMilli()), nil
	}
	f := &dateFormat{pattern: Format(a[0]), zone: localZone(), week: american()}
	if len(a) == 3 {
		z, ok := a[2].(*zone)
		if !ok {
			return nil, ErrNoMember
		}
		f.zone = z
	}
	return f.date(a[1])
}

func newDateFormat(_ *Thread, a []Value) (Value, error) {
	f := &dateFormat{pattern: Format(arg(a, 0)), zone: localZone(), week: american()}
	list, err := datePieces(f.pattern)
	if err != nil {
		return nil, err
	}
	switch l := arg(a, 1).(type) {
	case *locale:
		if f.week, err = l.week(); err != nil {
			return nil, err
		}
		for _, p := range list {
			if p.letter != 0 && p.letter != 'Z' && p.letter != 'X' && !p.numeric() {
				err = english(l)
			}
		}
	case nil:
		if len(a) == 0 {
			f.pattern = "M/d/yy, h:mm a"
		}
	default:
		return nil, ErrNoMember
	}
	return f, err
}
