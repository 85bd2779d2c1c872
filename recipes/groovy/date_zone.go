package groovy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// zone is a java.util.TimeZone.
type zone struct {
	id  string
	loc *time.Location
}

func localZone() *zone {
	id := time.Local.String()
	if id == "Local" {
		id = "GMT"
		if name, off := time.Now().Zone(); off != 0 || name == "UTC" {
			id = name
		}
	}
	return &zone{id, time.Local}
}

// zoneNamed is TimeZone.getTimeZone: GMT for what is no zone. On a machine
// that knows no zones at all a name is an error: it might be one.
func zoneNamed(id string) (*zone, error) {
	if off, ok := customZone(id); ok {
		s := offsetText(off, true)
		return &zone{"GMT" + s, time.FixedZone("GMT"+s, off)}, nil
	}
	name := id
	if long, ok := oldZones()[id]; ok {
		name = long
	}
	if loc, err := time.LoadLocation(name); err == nil && id != "" && id != "Local" {
		return &zone{id, loc}, nil
	}
	if _, err := time.LoadLocation("Europe/London"); err != nil && id != "GMT" {
		return nil, Throw("IllegalStateException", "time zone %s: this machine has no time zones: install its package tzdata", id)
	}
	return &zone{"GMT", time.FixedZone("GMT", 0)}, nil
}

// oldZones are the names of three letters that only Java has.
func oldZones() map[string]string {
	return map[string]string{"ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires", "ART": "Africa/Cairo", "AST": "America/Anchorage",
		"BET": "America/Sao_Paulo", "BST": "Asia/Dhaka", "CAT": "Africa/Harare", "CNT": "America/St_Johns", "CST": "America/Chicago", "CTT": "Asia/Shanghai",
		"EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris", "IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "MIT": "Pacific/Apia",
		"NET": "Asia/Yerevan", "NST": "Pacific/Auckland", "PLT": "Asia/Karachi", "PNT": "America/Phoenix", "PRT": "America/Puerto_Rico", "PST": "America/Los_Angeles",
		"SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh"}
}

// customZone is the offset of GMT+2, GMT+02, GMT+0230 or GMT+2:30.
func customZone(id string) (seconds int, ok bool) {
	s, ok := strings.CutPrefix(id, "GMT")
	if !ok || len(s) < 2 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	h, m, colon := strings.Cut(s[1:], ":")
	if !colon && len(h) > 2 {
		h, m = h[:len(h)-2], h[len(h)-2:]
	}
	if !digits(h) || len(h) > 2 || m != "" && (!digits(m) || len(m) != 2) || colon && m == "" {
		return 0, false
	}
	hours, _ := strconv.Atoi(h)
	minutes, _ := strconv.Atoi(m)
	if hours > 23 || minutes > 59 {
		return 0, false
	}
	seconds = hours*3600 + minutes*60
	if s[0] == '-' {
		return -seconds, true
	}
	return seconds, true
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// offsetText is +0200, or +02:00.
func offsetText(seconds int, colon bool) string {
	sign := choose(seconds < 0, "-", "+")
	m := max(seconds, -seconds) / 60
	return fmt.Sprintf("%s%02d%s%02d", sign, m/60, choose(colon, ":", ""), m%60)
}

// abbreviation is the zone's abbreviation at a time.
func abbreviation(t time.Time) string {
	name, off := t.Zone()
	if name == "" || name[0] == '+' || name[0] == '-' {
		return "GMT" + offsetText(off, true)
	}
	return name
}

// longName is the zone's English name; only those that are common are here.
func longName(t time.Time) (string, error) {
	short := abbreviation(t)
	names := map[string]string{"UTC": "Coordinated Universal Time", "GMT": "Greenwich Mean Time", "BST": "British Summer Time", "WET": "Western European Standard Time", "WEST": "Western European Summer Time",
		"CET": "Central European Standard Time", "CEST": "Central European Summer Time", "EET": "Eastern European Standard Time", "EEST": "Eastern European Summer Time", "MSK": "Moscow Standard Time",
		"EST": "Eastern Standard Time", "EDT": "Eastern Daylight Time", "MST": "Mountain Standard Time", "MDT": "Mountain Daylight Time", "PST": "Pacific Standard Time", "PDT": "Pacific Daylight Time", "JST": "Japan Standard Time"}
	if _, off := t.Zone(); short == "CST" || short == "CDT" { // China's and Cuba's, too
		if off == -6*3600 && short == "CST" || off == -5*3600 && short == "CDT" {
			return choose(short == "CST", "Central Standard Time", "Central Daylight Time"), nil
		}
	}
	if n, ok := names[short]; ok {
		return n, nil
	}
	if strings.HasPrefix(short, "GMT") {
		return short, nil
	}
	return "", Throw("UnsupportedOperationException", "the name of the time zone %s is not available", short)
}

// knownZones are the abbreviations that are read, with their offsets in hours.
func knownZones() map[string]int {
	return map[string]int{"UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "IST": 2,
		"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10}
}

// Type names the class.
func (*zone) Type() string { return "sun.util.calendar.ZoneInfo" }

// Key stands for the zone as a key of a map.
func (z *zone) Key() string { return z.id }

// String is ZoneInfo.toString, without what only tells of Java's own tables.
func (z *zone) String() string {
	_, std := offsetAt(time.Now().In(z.loc))
	return fmt.Sprintf("sun.util.calendar.ZoneInfo[id=\"%s\",offset=%d,dstSavings=%d,useDaylight=%t,transitions=0,lastRule=null]", z.id, std*1000, z.savings(), z.savings() != 0)
}

// summer is a time of this year that is not standard time; false when there is
// none.
func (z *zone) summer() (time.Time, bool) {
	for m := range 12 {
		t := time.Date(time.Now().Year(), time.Month(m+1), 1, 12, 0, 0, 0, time.UTC).In(z.loc)
		if off, std := offsetAt(t); off != std {
			return t, true
		}
	}
	return time.Time{}, false
}

func (z *zone) savings() int64 {
	if t, ok := z.summer(); ok {
		off, std := offsetAt(t)
		return (off - std) * 1000
	}
	return 0
}

// Get reads a property.
func (z *zone) Get(_ *Thread, id string) (Value, error) {
	switch id {
	case "ID":
		return z.id, nil
	case "rawOffset":
		_, std := offsetAt(time.Now().In(z.loc))
		return std * 1000, nil
	case "DSTSavings":
		return z.savings(), nil
	case "displayName":
		return z.display(false, true)
	}
	return nil, ErrNoMember
}

// display is getDisplayName.
func (z *zone) display(summer, long bool) (Value, error) {
	t := time.Date(time.Now().Year(), 1, 1, 0, 0, 0, 0, time.UTC).In(z.loc)
	if off, std := offsetAt(t); off != std { // the south
		t = t.AddDate(0, 6, 0)
	}
	if s, ok := z.summer(); ok && summer {
		t = s
	}
	if long {
		return text(longName(t))
	}
	return abbreviation(t), nil
}

// Set refuses.
func (*zone) Set(*Thread, string, Value) error { return ErrNoMember }

// Call calls a method.
func (z *zone) Call(_ *Thread, id string, a []Value) (Value, error) {
	switch {
	case id == "useDaylightTime" && len(a) == 0, id == "observesDaylightTime" && len(a) == 0:
		return z.savings() != 0, nil
	case id == "getDisplayName" && len(a) >= 2:
		summer, _ := a[0].(bool)
		return z.display(summer, toInt(a[1]) == 1)
	case id == "getDisplayName":
		return z.display(false, true)
	case id == "inDaylightTime" && len(a) == 1:
		d, ok := a[0].(*Date)
		if !ok {
			return nil, ErrNoMember
		}
		off, std := offsetAt(d.Time().In(z.loc))
		return off != std, nil
	case id == "getOffset" && len(a) == 1:
		off, _ := offsetAt(time.UnixMilli(toInt(a[0])).In(z.loc))
		return off * 1000, nil
	case id == "hasSameRules" && len(a) == 1:
		o, ok := a[0].(*zone)
		return ok && o.loc.String() == z.loc.String(), nil
	case id == "clone" && len(a) == 0:
		return z, nil
	}
	return nil, ErrNoMember
}
