package groovy

import "time"

// calendar is what a java.util.Calendar has beside its time: fields that were
// set and that the time is computed of when it is asked for.
type calendar struct {
	zone   *zone
	week   week
	strict bool // not lenient: a field out of its range is an error
	val    dateFields
	stamp  [fieldCount]int // when the field was set; 1: it is of the time, 0: it is not set
	last   int
}

func newCalendar(z *zone, w week) *calendar {
	c := &calendar{zone: z, week: w}
	c.computed()
	return c
}

// computed says that all fields are those of the time.
func (c *calendar) computed() {
	c.last = 1
	for i := range c.stamp {
		c.stamp[i] = 1
	}
}

func (c *calendar) put(field, v int64) {
	c.last++
	c.val[field], c.stamp[field] = v, c.last
}

// cleared has no field set: what is not set is that of 1970-01-01 00:00.
func (c *calendar) cleared() {
	c.val, c.stamp, c.last = dateFields{fEra: 1, fYear: 1970, fDate: 1, fWeekOfYear: 1, fWeekOfMonth: 1, fDayOfYear: 1, fDayOfWeek: c.week.first, fDayOfWeekInMonth: 1}, [fieldCount]int{}, 1
}

// time is the time that the fields say.
func (c *calendar) time() (time.Time, error) {
	if c.strict {
		for i, v := range c.val {
			if c.stamp[i] > 1 && (v < fieldMin(int64(i)) || v > fieldMax(int64(i))) {
				return time.Time{}, Throw("IllegalArgumentException", "%s", fieldName(i))
			}
		}
	}
	f := c.val
	if c.stamp[fHourOfDay] < max(c.stamp[fHour], c.stamp[fAmPm]) {
		f[fHourOfDay] = f[fHour] + 12*f[fAmPm]
	}
	ms, day := f.clock(), c.day()
	loc, fixed := c.zone.loc, c.stamp[fZoneOffset] > 1
	if fixed {
		loc = time.UTC
		ms -= f[fZoneOffset] + f[fDSTOffset]
	}
	t := timeAt(day, ms, loc).In(c.zone.loc)
	if c.strict {
		shown := t
		if fixed {
			shown = t.In(time.FixedZone("", int(f[fZoneOffset]+f[fDSTOffset])/1000))
		}
		for i, v := range fieldsOf(shown, c.week) {
			if c.stamp[i] > 1 && c.val[i] != v && i < fZoneOffset {
				return t, Throw("IllegalArgumentException", "%s: %d -> %d", fieldName(i), c.val[i], v)
			}
		}
	}
	return t, nil
}

// day is the day of the fields that were set last, as Calendar resolves them.
func (c *calendar) day() int64 {
	both := func(a int) int {
		if c.stamp[a] == 0 || c.stamp[fDayOfWeek] == 0 {
			return 0
		}
		return max(c.stamp[a], c.stamp[fDayOfWeek])
	}
	date, year := c.stamp[fDate], c.stamp[fDayOfYear]
	ofMonth, inMonth, ofYear := both(fWeekOfMonth), both(fDayOfWeekInMonth), both(fWeekOfYear)
	best := max(date, ofMonth, inMonth, year, ofYear)
	if best == 0 {
		ofMonth, inMonth, ofYear = c.stamp[fWeekOfMonth], max(c.stamp[fDayOfWeekInMonth], c.stamp[fDayOfWeek]), c.stamp[fWeekOfYear]
		if best = max(ofMonth, inMonth, ofYear); best == 0 {
			date = c.stamp[fMonth]
			best = date
		}
	}
	y, m := c.val.year(), c.val[fMonth]
	first, january := dayOf(y, m, 1), dayOf(y, 0, 1)
	dow := c.val[fDayOfWeek]
	switch {
	case best == date:
		return dayOf(y, m, c.val[fDate])
	case best == ofMonth && c.stamp[fWeekOfMonth] >= c.stamp[fWeekOfYear] && (ofMonth != inMonth || c.stamp[fWeekOfMonth] >= c.stamp[fDayOfWeekInMonth]):
		return onOrBefore(c.week.start(first)+6, dow) + 7*(c.val[fWeekOfMonth]-1)
	case best == ofMonth && c.stamp[fWeekOfMonth] >= c.stamp[fWeekOfYear], best == inMonth && c.stamp[fDayOfWeekInMonth] >= c.stamp[fWeekOfYear]:
		n := c.val[fDayOfWeekInMonth]
		if n >= 0 {
			return onOrBefore(first+7*n-1, dow)
		}
		return onOrBefore(dayOf(y, m+1, 1)+7*(n+1)-1, dow)
	case best == year:
		return january + c.val[fDayOfYear] - 1
	}
	return onOrBefore(c.week.start(january)+6, dow) + 7*(c.val[fWeekOfYear]-1)
}

func fieldName(i int) string {
	return [...]string{"ERA", "YEAR", "MONTH", "WEEK_OF_YEAR", "WEEK_OF_MONTH", "DAY_OF_MONTH", "DAY_OF_YEAR", "DAY_OF_WEEK", "DAY_OF_WEEK_IN_MONTH",
		"AM_PM", "HOUR", "HOUR_OF_DAY", "MINUTE", "SECOND", "MILLISECOND", "ZONE_OFFSET", "DST_OFFSET"}[i]
}

func fieldMax(field int64) int64 {
	return [...]int64{1, 292278994, 11, 53, 6, 31, 366, 7, 6, 1, 11, 23, 59, 59, 999, 14 * 3600000, 2 * 3600000}[field]
}

func fieldMin(field int64) int64 {
	return [...]int64{0, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, -13 * 3600000, 0}[field]
}

// actualMax is the greatest value that a field has in the year or month of f.
func (w week) actualMax(field int64, f *dateFields) int64 {
	y, m := f.year(), f[fMonth]
	first, next := dayOf(y, m, 1), dayOf(y, m+1, 1)
	switch field {
	case fWeekOfYear:
		january := dayOf(y, 0, 1)
		leap := dayOf(y+1, 0, 1)-january > 365
		magic := (weekday(january)-w.first+7)%7 + w.least - 1
		return 52 + int64(boolInt(magic == 6 || leap && (magic == 5 || magic == 12)))
	case fWeekOfMonth:
		return w.number(first, next-1)
	case fDate:
		return next - first
	case fDayOfYear:
		return dayOf(y+1, 0, 1) - dayOf(y, 0, 1)
	case fDayOfWeekInMonth:
		return (next-1-onOrBefore(first+6, f[fDayOfWeek]))/7 + 1
	}
	return fieldMax(field)
}

// maxShift bounds how far one call moves a time: it stays one that Java has.
const maxShift = 1 << 40

// shifted is the time n units of a field later.
func shifted(t time.Time, field, n int64) time.Time {
	n = min(max(n, -maxShift), maxShift)
	ms := func(unit int64) time.Time {
		s := n * unit
		return time.Unix(t.Unix()+s/1000, int64(t.Nanosecond())+s%1000*1e6).In(t.Location())
	}
	switch field {
	case fYear:
		return addMonths(t, 12*min(max(n, -1e8), 1e8))
	case fMonth:
		return addMonths(t, min(max(n, -1e9), 1e9))
	case fDate, fDayOfYear, fDayOfWeek:
		return addDays(t, n)
	case fWeekOfYear, fWeekOfMonth, fDayOfWeekInMonth:
		return addDays(t, 7*n)
	case fAmPm:
		return ms(12 * 3600000)
	case fHour, fHourOfDay:
		return ms(3600000)
	case fMinute:
		return ms(60000)
	case fSecond:
		return ms(1000)
	case fMillisecond:
		return ms(1)
	}
	return t
}

// rolled is the time with a field n units later that leaves the larger ones as
// they are.
func (w week) rolled(t time.Time, field, n int64) time.Time {
	f := fieldsOf(t, w)
	lo, hi := fieldMin(field), w.actualMax(field, &f)
	if field == fWeekOfMonth {
		lo = w.number(dayOf(f.year(), f[fMonth], 1), dayOf(f.year(), f[fMonth], 1))
	}
	v := lo + ((f[field]-lo+n%(hi-lo+1))%(hi-lo+1)+(hi-lo+1))%(hi-lo+1)
	day := f.day()
	switch field {
	case fYear:
		return withNanos(timeAt(dayOf(v, f[fMonth], f[fDate]), f.clock(), t.Location()), t)
	case fMonth:
		return addMonths(t, v-f[fMonth])
	case fDate, fDayOfYear:
		day += v - f[field]
	case fDayOfWeek:
		first := onOrBefore(day, w.first)
		day = first + ((day-first+n)%7+7)%7
	case fWeekOfYear, fDayOfWeekInMonth:
		day += 7 * (v - f[field])
	case fWeekOfMonth:
		first := dayOf(f.year(), f[fMonth], 1)
		day = min(max(day+7*(v-f[field]), first), dayOf(f.year(), f[fMonth]+1, 1)-1)
	case fAmPm, fHour:
		f[field] = v
		f[fHourOfDay] = f[fHour] + 12*f[fAmPm]
	default:
		f[field] = v
	}
	return withNanos(timeAt(day, f.clock(), t.Location()), t)
}
