package groovy

import "time"

// The fields of java.util.Calendar, by their numbers.
const (
	fEra = iota
	fYear
	fMonth
	fWeekOfYear
	fWeekOfMonth
	fDate
	fDayOfYear
	fDayOfWeek
	fDayOfWeekInMonth
	fAmPm
	fHour
	fHourOfDay
	fMinute
	fSecond
	fMillisecond
	fZoneOffset
	fDSTOffset
	fieldCount
)

// dateFields are the values of a Calendar's fields. year counts on below 1;
// the era's own year is in the field.
type dateFields [fieldCount]int64

// cutover is the first day of the Gregorian calendar, 1582-10-15, counted from
// 1970-01-01; the days before it are those of the Julian one.
const cutover = -141427

// dayOf is the number of a day; months and days may be out of their range.
func dayOf(year, month, day int64) int64 {
	year += floorQuo(month, 12)
	month = (month%12+12)%12 + 1
	a := (14 - month) / 12
	y, m := year+4800-a, month+12*a-3
	n := (153*m+2)/5 + 365*y + floorQuo(y, 4) - 32045 - 2440588
	if g := n - floorQuo(y, 100) + floorQuo(y, 400) + day; g >= cutover {
		return g
	}
	return n - 38 + day
}

// dateOf is the year, month (from 0) and day of the month of a day.
func dateOf(day int64) (year, month, date int64) {
	a, b := day+2440588+32044, int64(0)
	if day < cutover {
		a += 38
	} else {
		b = floorQuo(4*a+3, 146097)
		a -= floorQuo(146097*b, 4)
	}
	d := floorQuo(4*a+3, 1461)
	e := a - floorQuo(1461*d, 4)
	m := (5*e + 2) / 153
	return 100*b + d - 4800 + m/10, m + 2 - 12*(m/10), e - (153*m+2)/5 + 1
}

func floorQuo(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// weekday is the day of the week, Sunday being 1.
func weekday(day int64) int64 { return ((day+4)%7+7)%7 + 1 }

// onOrBefore is the last day of a day of the week up to day.
func onOrBefore(day, dayOfWeek int64) int64 { return day - (weekday(day)-dayOfWeek+7)%7 }

// week says how weeks are counted: which day they begin with, and how many
// days of the year its first week has at least.
type week struct{ first, least int64 }

// start is the first day of the first week of the period that begins at day.
func (w week) start(day int64) int64 {
	s := onOrBefore(day+6, w.first)
	if s-day >= w.least {
		s -= 7
	}
	return s
}

func (w week) number(first, day int64) int64 { return floorQuo(day-w.start(first), 7) + 1 }

// ofYear is the week of the year, and the year that it belongs to.
func (w week) ofYear(year, day int64) (n, weekYear int64) {
	n = w.number(dayOf(year, 0, 1), day)
	switch next := w.start(dayOf(year+1, 0, 1)); {
	case n < 1:
		return w.number(dayOf(year-1, 0, 1), day), year - 1
	case day >= next:
		return 1, year + 1
	}
	return n, year
}

// offsetAt is the zone's offset from UTC, in seconds, and what of it is the
// standard time's.
func offsetAt(t time.Time) (offset, standard int64) {
	_, off := t.Zone()
	y := t.UTC().Year()
	_, jan := time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC).In(t.Location()).Zone()
	_, jul := time.Date(y, 7, 1, 0, 0, 0, 0, time.UTC).In(t.Location()).Zone()
	return int64(off), int64(min(jan, jul, off))
}

// fieldsOf are the fields of a time in its zone.
func fieldsOf(t time.Time, w week) (f dateFields) {
	off, std := offsetAt(t)
	local := t.Unix() + off
	day := floorQuo(local, 86400)
	sec := local - day*86400
	y, m, d := dateOf(day)
	f[fEra], f[fYear], f[fMonth], f[fDate] = 1, y, m, d
	if y < 1 {
		f[fEra], f[fYear] = 0, 1-y
	}
	f[fWeekOfYear], _ = w.ofYear(y, day)
	f[fWeekOfMonth] = w.number(dayOf(y, m, 1), day)
	f[fDayOfYear] = day - dayOf(y, 0, 1) + 1
	f[fDayOfWeek], f[fDayOfWeekInMonth] = weekday(day), (d-1)/7+1
	f[fHourOfDay], f[fMinute], f[fSecond], f[fMillisecond] = sec/3600, sec/60%60, sec%60, int64(t.Nanosecond()/1e6)
	f[fAmPm], f[fHour] = f[fHourOfDay]/12, f[fHourOfDay]%12
	f[fZoneOffset], f[fDSTOffset] = std*1000, (off-std)*1000
	return f
}

// year is the year that counts on below 1.
func (f *dateFields) year() int64 {
	if f[fEra] == 0 {
		return 1 - f[fYear]
	}
	return f[fYear]
}

func (f *dateFields) day() int64 { return dayOf(f.year(), f[fMonth], f[fDate]) }

// timeAt is the time at which clocks of a zone show a day and milliseconds of
// it. Of a time that they show twice it is the later, and what they leave out
// is counted in standard time.
func timeAt(day, ms int64, loc *time.Location) time.Time {
	day += floorQuo(ms, 86400000)
	ms -= floorQuo(ms, 86400000) * 86400000
	u := day*86400 + ms/1000
	at := func(off int64) time.Time { return time.Unix(u-off, ms%1000*1e6).In(loc) }
	offset := func(t time.Time) int64 { _, off := t.Zone(); return int64(off) }
	a, b := offset(at(0).Add(-24*time.Hour)), offset(at(0).Add(24*time.Hour))
	std, dst := min(a, b), max(a, b)
	if t := at(dst); offset(at(std)) != std && offset(t) == dst {
		return t
	}
	return at(std)
}

// addDays is t on another day, at the same time of the day.
func addDays(t time.Time, n int64) time.Time {
	off, _ := offsetAt(t)
	u := time.Unix(t.Unix()+n*86400, int64(t.Nanosecond())).In(t.Location())
	now, _ := offsetAt(u)
	if now == off {
		return u
	}
	v := u.Add(time.Duration(off-now) * time.Second)
	later, _ := offsetAt(v)
	if floorQuo(v.Unix()+later, 86400) != floorQuo(u.Unix()+off, 86400) {
		return u
	}
	return v
}

// addMonths is t in another month; a day that it lacks becomes its last.
func addMonths(t time.Time, n int64) time.Time {
	f := fieldsOf(t, week{1, 1})
	y, m := f.year(), f[fMonth]+n
	d := min(f[fDate], dayOf(y, m+1, 1)-dayOf(y, m, 1))
	return withNanos(timeAt(dayOf(y, m, d), f.clock(), t.Location()), t)
}

// clock is the time of the day in milliseconds.
func (f *dateFields) clock() int64 {
	return ((f[fHourOfDay]*60+f[fMinute])*60+f[fSecond])*1000 + f[fMillisecond]
}

// withNanos is t with the part of a millisecond that u has.
func withNanos(t, u time.Time) time.Time { return t.Add(time.Duration(u.Nanosecond() % 1e6)) }
