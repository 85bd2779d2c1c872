package groovy

import "time"

// Type names the class.
func (*dateFormat) Type() string { return "java.text.SimpleDateFormat" }

// date parses a text as a java.util.Date.
func (f *dateFormat) date(v Value) (Value, error) {
	if v == nil {
		return nil, Throw("NullPointerException", "Cannot invoke \"String.length()\" because \"text\" is null")
	}
	s := Format(v)
	t, _, err := f.parse(s, 0)
	if err != nil {
		return nil, err
	}
	return NewDate(t.Local()), nil
}

// Get reads a property.
func (f *dateFormat) Get(_ *Thread, id string) (Value, error) {
	switch id {
	case "timeZone":
		return f.zone, nil
	case "lenient":
		return !f.strict, nil
	}
	return nil, ErrNoMember
}

// Set writes a property.
func (f *dateFormat) Set(_ *Thread, id string, v Value) error {
	switch x := v.(type) {
	case *zone:
		if id == "timeZone" {
			f.zone = x
			return nil
		}
	case bool:
		if id == "lenient" {
			f.strict = !x
			return nil
		}
	}
	return ErrNoMember
}

// Call calls a method.
func (f *dateFormat) Call(_ *Thread, id string, a []Value) (Value, error) {
	switch {
	case id == "format" && len(a) == 1:
		t, ok := unixMilli(a[0])
		if rankOf(a[0]) > 0 && !ok {
			t, ok = time.UnixMilli(toInt(a[0])), true
		}
		if d, isDate := a[0].(*Date); !ok || isDate && d.cal != nil {
			return nil, Throw("IllegalArgumentException", "Cannot format given Object as a Date")
		}
		return text(formatDate(f.pattern, t.In(f.zone.loc), f.week))
	case id == "parse" && len(a) == 1:
		return f.date(a[0])
	case id == "set2DigitYearStart" && len(a) == 1:
		t, ok := a[0].(*Date)
		if !ok {
			return nil, ErrNoMember
		}
		x := t.fields()
		f.century = x.year()
		return nil, nil
	case id == "toPattern" && len(a) == 0:
		return f.pattern, nil
	case id == "applyPattern" && len(a) == 1:
		_, err := datePieces(Format(a[0]))
		if err == nil {
			f.pattern = Format(a[0])
		}
		return nil, err
	case id == "clone" && len(a) == 0:
		c := *f
		return &c, nil
	}
	return nil, ErrNoMember
}
