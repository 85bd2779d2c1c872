package groovy

import (
	"fmt"
	"time"
)

// dateText is %tY and its like: of a Date, a Calendar, or milliseconds.
func dateText(s spec, v Value) (string, error) {
	var t time.Time
	switch x := v.(type) {
	case nil:
		return "null", nil
	case *Date:
		if t = x.Time(); x.cal == nil {
			t = t.Local()
		}
	case Long:
		t = time.UnixMilli(int64(x))
	case int64:
		if rankOf(x) == rankInt {
			return "", mismatch(s, v)
		}
		t = time.UnixMilli(x)
	default:
		return "", mismatch(s, v)
	}
	return dateConversion(s.verb, t), nil
}

// dateConversion is one of the letters that follow %t.
func dateConversion(verb byte, t time.Time) string {
	f := fieldsOf(t, american())
	in := func(pattern string) string {
		s, _ := formatDate(pattern, t, american())
		return s
	}
	switch verb {
	case 'N':
		return fmt.Sprintf("%09d", t.Nanosecond())
	case 'p':
		return choose(f[fAmPm] == 0, "am", "pm")
	case 's':
		return itoa(floorQuo(t.UnixMilli(), 1000))
	case 'Q':
		return itoa(t.UnixMilli())
	case 'C':
		return fmt.Sprintf("%02d", f[fYear]/100)
	}
	return in(map[byte]string{'H': "HH", 'I': "hh", 'k': "H", 'l': "h", 'M': "mm", 'S': "ss", 'L': "SSS", 'z': "Z", 'Z': "z", 'B': "MMMM", 'b': "MMM", 'h': "MMM", 'A': "EEEE", 'a': "EEE",
		'Y': "yyyy", 'y': "yy", 'j': "DDD", 'm': "MM", 'd': "dd", 'e': "d", 'R': "HH:mm", 'T': "HH:mm:ss", 'r': "hh:mm:ss a", 'D': "MM/dd/yy", 'F': "yyyy-MM-dd", 'c': "EEE MMM dd HH:mm:ss z yyyy"}[verb])
}
