package groovy

import "strings"

// locale is a java.util.Locale. Texts and numbers are English ones: what would
// look otherwise in another language is an error.
type locale struct{ lang, country string }

func localeClass() *Class {
	consts := map[string]Value{}
	for id, tag := range map[string]string{"ROOT": "", "ENGLISH": "en", "US": "en_US", "UK": "en_GB", "CANADA": "en_CA", "GERMANY": "de_DE", "GERMAN": "de", "FRANCE": "fr_FR", "FRENCH": "fr",
		"ITALY": "it_IT", "ITALIAN": "it", "JAPAN": "ja_JP", "JAPANESE": "ja", "CHINA": "zh_CN", "CHINESE": "zh", "KOREA": "ko_KR", "KOREAN": "ko"} {
		consts[id] = newLocale(tag)
	}
	return &Class{Name: "Locale", New: func(_ *Thread, a []Value) (Value, error) {
		if len(a) < 1 || len(a) > 2 {
			return nil, ErrNoMember
		}
		l := &locale{lang: strings.ToLower(Format(a[0]))}
		if len(a) == 2 {
			l.country = strings.ToUpper(Format(a[1]))
		}
		return l, nil
	}, Static: statics("java.util.Locale", consts, methods{
		"getDefault": function0(0, 0, func(*Thread, []Value) (Value, error) { return newLocale("en_US"), nil }),
		"forLanguageTag": fn1(func(_ *Thread, v Value) (Value, error) {
			return newLocale(strings.ReplaceAll(Format(v), "-", "_")), nil
		}),
	})}
}

func newLocale(tag string) *locale {
	lang, country, _ := strings.Cut(tag, "_")
	return &locale{lang, country}
}

// english is an error for a locale whose texts are not English.
func english(v Value) error {
	l, ok := v.(*locale)
	if !ok && v != nil {
		return ErrNoMember
	}
	if ok && l.lang != "" && l.lang != "en" {
		return Throw("UnsupportedOperationException", "the locale %s is not available: texts and numbers are English", l)
	}
	return nil
}

// week is how the country counts weeks.
func (l *locale) week() (week, error) {
	switch {
	case l.country == "" && l.lang != "de" && l.lang != "fr" && l.lang != "it", hasWord("US CA JP CN KR", l.country):
		return american(), nil
	case hasWord("GB DE FR IT AT CH NL BE SE DK NO FI ES PL CZ IE", l.country), l.country == "":
		return week{2, 4}, nil
	}
	return week{}, Throw("UnsupportedOperationException", "the weeks of the locale %s are not known", l)
}

// Type names the class.
func (*locale) Type() string { return "java.util.Locale" }

// String is Locale.toString.
func (l *locale) String() string { return l.lang + choose(l.country != "", "_", "") + l.country }

// Key stands for the locale as a key of a map.
func (l *locale) Key() string { return l.String() }

// Get reads a property.
func (l *locale) Get(_ *Thread, id string) (Value, error) {
	switch id {
	case "language":
		return l.lang, nil
	case "country":
		return l.country, nil
	}
	return nil, ErrNoMember
}

// Set refuses.
func (*locale) Set(*Thread, string, Value) error { return ErrNoMember }

// Call calls a method.
func (l *locale) Call(_ *Thread, id string, a []Value) (Value, error) {
	if id == "toLanguageTag" && len(a) == 0 {
		return strings.ReplaceAll(first(l.String(), "und"), "_", "-"), nil
	}
	return nil, ErrNoMember
}
