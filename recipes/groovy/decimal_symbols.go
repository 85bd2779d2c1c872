package groovy

import "unicode/utf8"

// symbols is a java.text.DecimalFormatSymbols: the texts, by property.
type symbols struct{ text map[string]string }

// symbolsOf are the symbols of a locale; an error for one that is not known.
func symbolsOf(l *locale) (*symbols, error) {
	s := &symbols{map[string]string{"decimalSeparator": ".", "groupingSeparator": ",", "monetaryDecimalSeparator": ".", "percent": "%", "perMill": "‰", "minusSign": "-", "infinity": "∞",
		"naN": "NaN", "exponentSeparator": "E", "zeroDigit": "0", "digit": "#", "patternSeparator": ";", "currencySymbol": "¤", "internationalCurrencySymbol": "XXX"}}
	switch l.lang {
	case "", "en", "ja", "zh", "ko":
	case "de", "it":
		s.text["decimalSeparator"], s.text["groupingSeparator"], s.text["monetaryDecimalSeparator"] = ",", ".", ","
	case "fr":
		s.text["decimalSeparator"], s.text["groupingSeparator"], s.text["monetaryDecimalSeparator"] = ",", "\u202f", ","
	default:
		return nil, noNumbers(l)
	}
	if l.country != "" {
		money, ok := map[string][2]string{"en_US": {"$", "USD"}, "en_GB": {"£", "GBP"}, "en_CA": {"$", "CAD"}, "de_DE": {"€", "EUR"}, "fr_FR": {"€", "EUR"}, "it_IT": {"€", "EUR"},
			"ja_JP": {"￥", "JPY"}, "zh_CN": {"¥", "CNY"}, "ko_KR": {"₩", "KRW"}}[l.String()]
		if !ok {
			return nil, noNumbers(l)
		}
		s.text["currencySymbol"], s.text["internationalCurrencySymbol"] = money[0], money[1]
		if l.country == "CA" {
			s.text["exponentSeparator"] = "e"
		}
	}
	return s, nil
}

func noNumbers(l *locale) error {
	return Throw("UnsupportedOperationException", "the numbers of the locale %s are not known", l)
}

// localeAt is the locale that an argument names; en_US when there is none.
func localeAt(a []Value, i int) (*locale, error) {
	if i >= len(a) {
		return newLocale("en_US"), nil
	}
	l, ok := a[i].(*locale)
	if !ok {
		return nil, ErrNoMember
	}
	return l, nil
}

func newSymbols(_ *Thread, a []Value) (Value, error) {
	l, err := localeAt(a, 0)
	if err != nil || len(a) > 1 {
		return nil, first2(err, ErrNoMember)
	}
	return symbolsOf(l)
}

func symbolsClass() *Class {
	return &Class{Name: "DecimalFormatSymbols", New: newSymbols, Members: symbolNames(),
		Static: statics("java.text.DecimalFormatSymbols", nil, methods{"getInstance": function0(0, 1, newSymbols)})}
}

func symbolNames() []string {
	return []string{"decimalSeparator", "groupingSeparator", "monetaryDecimalSeparator", "percent", "perMill", "minusSign", "infinity", "naN", "exponentSeparator", "zeroDigit", "digit",
		"patternSeparator", "currencySymbol", "internationalCurrencySymbol"}
}

func (s *symbols) clone() *symbols {
	c := &symbols{map[string]string{}}
	for k, v := range s.text {
		c.text[k] = v
	}
	return c
}

// isText says whether a symbol is a String: the others are chars.
func isText(id string) bool {
	return hasWord("infinity naN exponentSeparator currencySymbol internationalCurrencySymbol", id)
}

// Type names the class.
func (*symbols) Type() string { return "java.text.DecimalFormatSymbols" }

// Get reads a symbol.
func (s *symbols) Get(_ *Thread, id string) (Value, error) {
	v, ok := s.text[id]
	switch {
	case !ok:
		return nil, ErrNoMember
	case isText(id):
		return v, nil
	}
	r, _ := utf8.DecodeRuneInString(v)
	return Char(r), nil
}

// Set changes a symbol.
func (s *symbols) Set(_ *Thread, id string, v Value) error {
	switch {
	case s.text[id] == "" || hasWord("zeroDigit digit patternSeparator", id): // patterns are read and written with theirs
		return ErrNoMember
	case v == nil:
		return Throw("NullPointerException", "")
	case !isText(id):
		c, err := toChar(v, "char")
		if err != nil {
			return err
		}
		v = c
	}
	s.text[id] = Format(v)
	return nil
}

// Call calls a method.
func (s *symbols) Call(_ *Thread, id string, a []Value) (Value, error) {
	if id == "clone" && len(a) == 0 {
		return s.clone(), nil
	}
	return nil, ErrNoMember
}
