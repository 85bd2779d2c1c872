package groovy

import "math"

// numberFormats are NumberFormat's, by what it gets them with.
func numberFormats() methods {
	get := func(style string) method {
		return function0(0, 1, func(_ *Thread, a []Value) (Value, error) {
			l, err := localeAt(a, 0)
			if err != nil {
				return nil, err
			}
			return numberFormat(style, l)
		})
	}
	return methods{"getInstance": get(""), "getNumberInstance": get(""), "getIntegerInstance": get("integer"), "getPercentInstance": get("percent"), "getCurrencyInstance": get("currency")}
}

// numberFormat is a format of the locale.
func numberFormat(style string, l *locale) (*decimalFormat, error) {
	s, err := symbolsOf(l)
	if err != nil {
		return nil, err
	}
	pattern := "#,##0.###"
	switch style {
	case "percent":
		pattern = "#,##0" + choose(l.lang == "de" || l.lang == "fr", "\u00a0%", "%")
	case "currency":
		switch {
		case l.lang == "de" || l.lang == "fr" || l.lang == "it":
			pattern = "#,##0.00\u00a0¤"
		case l.country == "JP" || l.country == "KR":
			pattern = "¤#,##0"
		case l.lang == "":
			pattern = "¤\u00a0#,##0.00"
		default:
			pattern = "¤#,##0.00"
		}
	}
	f, err := newDecimalFormat(pattern, s)
	if err == nil && style == "integer" {
		f.maxFrac, f.whole = 0, true
	}
	return f, err
}

func numberFormatClasses() []*Class {
	return []*Class{symbolsClass(), messageFormatClass(), choiceFormatClass(),
		{Name: "NumberFormat", Members: decimalNames(), Static: statics("java.text.NumberFormat", nil, numberFormats())},
		{Name: "DecimalFormat", Members: decimalNames(), Static: statics("java.text.DecimalFormat", nil, numberFormats()), New: func(_ *Thread, a []Value) (Value, error) {
			s, err := symbolsOf(newLocale("en_US"))
			pattern := "#,##0.###"
			if len(a) > 0 {
				if a[0] == nil {
					return nil, Throw("NullPointerException", "")
				}
				pattern = Format(a[0])
			}
			if len(a) > 1 {
				given, ok := a[1].(*symbols)
				if !ok || len(a) > 2 {
					return nil, Throw("GroovyRuntimeException", "Could not find matching constructor for: java.text.DecimalFormat(%s)", typeList(a))
				}
				s = given.clone()
			}
			if err != nil {
				return nil, err
			}
			return newDecimalFormat(pattern, s)
		}}}
}

func decimalNames() []string {
	return []string{"format", "parse", "toPattern", "applyPattern", "clone", "minimumIntegerDigits", "maximumIntegerDigits", "minimumFractionDigits", "maximumFractionDigits", "groupingSize", "multiplier",
		"groupingUsed", "decimalSeparatorAlwaysShown", "parseIntegerOnly", "parseBigDecimal", "roundingMode", "positivePrefix", "positiveSuffix", "negativePrefix", "negativeSuffix", "decimalFormatSymbols"}
}

// Type names the class.
func (*decimalFormat) Type() string { return "java.text.DecimalFormat" }

// affix is the text that a property stands for; nil when it is none.
func (f *decimalFormat) affix(id string) *string {
	return map[string]*string{"positivePrefix": &f.pos.before, "positiveSuffix": &f.pos.after, "negativePrefix": &f.neg.before, "negativeSuffix": &f.neg.after}[id]
}

func (f *decimalFormat) flag(id string) *bool {
	return map[string]*bool{"groupingUsed": &f.grouped, "decimalSeparatorAlwaysShown": &f.point, "parseIntegerOnly": &f.whole, "parseBigDecimal": &f.exact}[id]
}

// Get reads a property.
func (f *decimalFormat) Get(_ *Thread, id string) (Value, error) {
	if p := f.affix(id); p != nil {
		return f.sym.expand(*p), nil
	}
	if p := f.flag(id); p != nil {
		return *p, nil
	}
	switch id {
	case "minimumIntegerDigits":
		return int64(f.minInt), nil
	case "maximumIntegerDigits":
		return int64(f.maxInt), nil
	case "minimumFractionDigits":
		return int64(f.minFrac), nil
	case "maximumFractionDigits":
		return int64(f.maxFrac), nil
	case "groupingSize":
		return int64(f.group), nil
	case "multiplier":
		return f.multiplier, nil
	case "roundingMode":
		return Enum{"RoundingMode", string(f.rounding)}, nil
	case "decimalFormatSymbols":
		return f.sym.clone(), nil
	}
	return nil, ErrNoMember
}

// Set writes a property.
func (f *decimalFormat) Set(_ *Thread, id string, v Value) error {
	if p := f.affix(id); p != nil {
		*p = plainAffix(Format(v))
		return nil
	}
	if p := f.flag(id); p != nil {
		*p = Truth(v)
		return nil
	}
	switch x := v.(type) {
	case Enum:
		if id == "roundingMode" && x.Class == "RoundingMode" {
			f.rounding = rounding(x.Name)
			return nil
		}
	case *symbols:
		if id == "decimalFormatSymbols" {
			f.sym = x.clone()
			return nil
		}
	}
	if rankOf(v) == 0 || rankOf(v) > rankLong {
		return ErrNoMember
	}
	return f.setNumber(id, toInt(v))
}

// setNumber writes a number: a least is no more than the most.
func (f *decimalFormat) setNumber(id string, n int64) error {
	digits := int(min(max(n, 0), math.MaxInt32))
	switch id {
	case "minimumIntegerDigits":
		f.minInt, f.maxInt = digits, max(f.maxInt, digits)
	case "maximumIntegerDigits":
		f.minInt, f.maxInt = min(f.minInt, digits), digits
	case "minimumFractionDigits":
		f.minFrac, f.maxFrac = digits, max(f.maxFrac, digits)
	case "maximumFractionDigits":
		f.minFrac, f.maxFrac = min(f.minFrac, digits), digits
	case "groupingSize":
		f.group = int(int8(n))
	case "multiplier":
		if n == 0 {
			return Throw("UnsupportedOperationException", "a multiplier of 0")
		}
		f.multiplier = int64(int32(n))
	default:
		return ErrNoMember
	}
	return nil
}

// Call calls a method.
func (f *decimalFormat) Call(t *Thread, id string, a []Value) (Value, error) {
	switch {
	case id == "format" && len(a) == 1:
		return text(f.format(t, a[0]))
	case id == "parse" && len(a) == 1:
		if a[0] == nil {
			return nil, Throw("NullPointerException", "Cannot invoke \"String.regionMatches(int, String, int, int)\" because \"text\" is null")
		}
		s := Format(a[0])
		if err := t.charge(len(s)); err != nil {
			return nil, err
		}
		return f.parse(s)
	case id == "toPattern" && len(a) == 0:
		if err := t.grow(f.maxFrac+f.minInt+boolInt(f.scientific)*f.maxInt, 4); err != nil {
			return nil, err
		}
		return f.pattern(), nil
	case id == "applyPattern" && len(a) == 1:
		g := *f
		err := g.apply(Format(a[0]))
		if err == nil {
			*f = g
		}
		return nil, err
	case id == "clone" && len(a) == 0:
		g := *f
		g.sym = f.sym.clone()
		return &g, nil
	}
	return nil, ErrNoMember
}
