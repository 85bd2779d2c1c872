package groovy

import (
	"slices"
	"strings"
	"unicode"
)

// ranges are characters: pairs of the first and the last of each range. They
// need not be in order and may overlap until they are tidied.
type ranges []rune

// tidied are the same characters, in order, with no two ranges that touch.
func (r ranges) tidied() ranges {
	pairs := make([][2]rune, 0, len(r)/2)
	for i := 0; i < len(r); i += 2 {
		pairs = append(pairs, [2]rune{r[i], r[i+1]})
	}
	slices.SortFunc(pairs, func(a, b [2]rune) int { return int(a[0] - b[0]) })
	out := make(ranges, 0, len(r))
	for _, p := range pairs {
		if n := len(out); n > 0 && p[0] <= out[n-1]+1 {
			out[n-1] = max(out[n-1], p[1])
			continue
		}
		out = append(out, p[0], p[1])
	}
	return out
}

// others are all characters that r has not.
func (r ranges) others() ranges {
	out := make(ranges, 0, len(r)+2)
	next := rune(0)
	r = r.tidied()
	for i := 0; i < len(r); i += 2 {
		if r[i] > next {
			out = append(out, next, r[i]-1)
		}
		next = r[i+1] + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, next, unicode.MaxRune)
	}
	return out
}

// and are the characters that both have.
func (r ranges) and(s ranges) ranges {
	return append(slices.Clip(r.others()), s.others()...).others()
}

func (r ranges) but(s ranges) ranges { return r.and(s.others()) }

// charset is a set of characters to be asked for one.
type charset struct {
	ascii  [2]uint64
	ranges ranges // tidied
}

func newCharset(r ranges) *charset {
	c := &charset{ranges: r.tidied()}
	for i := 0; i < len(c.ranges); i += 2 {
		for x := c.ranges[i]; x <= min(c.ranges[i+1], unicode.MaxASCII); x++ {
			c.ascii[x>>6] |= 1 << (x & 63)
		}
	}
	return c
}

func (c *charset) has(x rune) bool {
	if x < 128 {
		return c.ascii[x>>6]>>(x&63)&1 != 0
	}
	low, high := 0, len(c.ranges)/2
	for low < high {
		mid := int(uint(low+high) / 2)
		switch {
		case x < c.ranges[2*mid]:
			high = mid
		case x > c.ranges[2*mid+1]:
			low = mid + 1
		default:
			return true
		}
	}
	return false
}

func fromTables(tables ...*unicode.RangeTable) ranges {
	var r ranges
	for _, t := range tables {
		for _, x := range t.R16 {
			r = r.strided(rune(x.Lo), rune(x.Hi), rune(x.Stride))
		}
		for _, x := range t.R32 {
			r = r.strided(rune(x.Lo), rune(x.Hi), rune(x.Stride))
		}
	}
	return r.tidied()
}

func (r ranges) strided(from, to, step rune) ranges {
	if step == 1 {
		return append(r, from, to)
	}
	for ; from <= to; from += step {
		r = append(r, from, from)
	}
	return r
}

// lineEnds are the characters that end a line in Java.
var lineEnds = ranges{'\n', '\n', '\r', '\r', 0x85, 0x85, 0x2028, 0x2029}

func isLineEnd(c rune) bool {
	return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029
}

// escapeClass is what \d, \w, \s, \h or \v stands for.
func (p *patternParser) escapeClass(c rune) ranges {
	switch c {
	case 'h':
		return ranges{' ', ' ', '\t', '\t', 0xA0, 0xA0, 0x1680, 0x1680, 0x180E, 0x180E, 0x2000, 0x200A, 0x202F, 0x202F, 0x205F, 0x205F, 0x3000, 0x3000}
	case 'v':
		return ranges{'\n', '\r', 0x85, 0x85, 0x2028, 0x2029}
	}
	name := map[rune]string{'d': "DIGIT", 's': "WHITE_SPACE", 'w': "WORD"}[c]
	if p.has(flagClasses) {
		return p.unicodeClass(name)
	}
	switch c {
	case 'd':
		return ranges{'0', '9'}
	case 's':
		return ranges{'\t', '\r', ' ', ' '}
	}
	return ranges{'0', '9', 'A', 'Z', '_', '_', 'a', 'z'}
}

// posixClass is \p{Alpha} and its like.
func posixClass(name string) ranges {
	return map[string]ranges{
		"ASCII": {0, 127}, "Alnum": {'0', '9', 'A', 'Z', 'a', 'z'}, "Alpha": {'A', 'Z', 'a', 'z'}, "Blank": {' ', ' ', '\t', '\t'},
		"Cntrl": {0, 31, 127, 127}, "Digit": {'0', '9'}, "Graph": {'!', '~'}, "Lower": {'a', 'z'}, "Print": {' ', '~'},
		"Punct": {'!', '/', ':', '@', '[', '`', '{', '~'}, "Space": {'\t', '\r', ' ', ' '}, "Upper": {'A', 'Z'},
		"XDigit": {'0', '9', 'A', 'F', 'a', 'f'}, "L1": {0, 255}, "all": {0, unicode.MaxRune},
	}[name]
}

// unicodeClass is \p{IsAlphabetic} and its like; name is in upper case.
func (p *patternParser) unicodeClass(name string) ranges {
	word := func() ranges {
		return append(fromTables(unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc), 0x200C, 0x200D)
	}
	space := fromTables(unicode.White_Space)
	switch name {
	case "ALPHABETIC":
		return fromTables(unicode.L, unicode.Nl, unicode.Other_Alphabetic)
	case "LETTER":
		return fromTables(unicode.L)
	case "IDEOGRAPHIC":
		return fromTables(unicode.Ideographic)
	case "LOWERCASE":
		return p.lettersOf(unicode.Ll, unicode.Other_Lowercase)
	case "UPPERCASE":
		return p.lettersOf(unicode.Lu, unicode.Other_Uppercase)
	case "TITLECASE":
		return p.lettersOf(unicode.Lt)
	case "WHITE_SPACE", "WHITESPACE":
		return space
	case "CONTROL":
		return fromTables(unicode.Cc)
	case "PUNCTUATION":
		return fromTables(unicode.P)
	case "HEX_DIGIT", "HEXDIGIT":
		return append(fromTables(unicode.Nd), 'A', 'F', 'a', 'f', 0xFF10, 0xFF19, 0xFF21, 0xFF26, 0xFF41, 0xFF46)
	case "ASSIGNED":
		return assigned()
	case "NONCHARACTER_CODE_POINT", "NONCHARACTERCODEPOINT":
		return fromTables(unicode.Noncharacter_Code_Point)
	case "DIGIT":
		return fromTables(unicode.Nd)
	case "ALNUM":
		return fromTables(unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.Nd)
	case "BLANK":
		return append(fromTables(unicode.Zs), '\t', '\t')
	case "GRAPH":
		return assigned().but(append(space, fromTables(unicode.Cc, unicode.Cs)...))
	case "PRINT":
		return append(assigned().but(append(space, fromTables(unicode.Cc, unicode.Cs)...)), fromTables(unicode.Zs)...)
	case "WORD":
		return word()
	case "JOIN_CONTROL", "JOINCONTROL":
		return ranges{0x200C, 0x200D}
	}
	return nil
}

func assigned() ranges {
	return fromTables(unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf, unicode.Cs, unicode.Co)
}

// lettersOf are the letters of the tables; where case does not matter all
// letters that have case.
func (p *patternParser) lettersOf(tables ...*unicode.RangeTable) ranges {
	if p.has(flagCase) {
		tables = []*unicode.RangeTable{unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase}
	}
	return fromTables(tables...)
}

// generalClass is \p{L}, \p{Alpha} or \p{javaLowerCase}.
func (p *patternParser) generalClass(name string) ranges {
	if r := posixClass(name); r != nil {
		if p.has(flagCase) && (name == "Lower" || name == "Upper") {
			return posixClass("Alpha")
		}
		return r
	}
	if java, ok := strings.CutPrefix(name, "java"); ok {
		return p.javaClass(java)
	}
	switch name {
	case "Lu", "Ll", "Lt":
		if !p.has(flagCase) {
			break
		}
		fallthrough
	case "LC":
		return fromTables(unicode.Lu, unicode.Ll, unicode.Lt)
	case "LD":
		return fromTables(unicode.L, unicode.Nd)
	case "Cn":
		return assigned().others()
	case "C":
		return append(fromTables(unicode.Cc, unicode.Cf, unicode.Cs, unicode.Co), assigned().others()...)
	}
	if t := unicode.Categories[name]; t != nil && len(name) <= 2 {
		return fromTables(t)
	}
	return nil
}

// javaClass is \p{javaLowerCase} and its like, without the prefix.
func (p *patternParser) javaClass(name string) ranges {
	start := fromTables(unicode.L, unicode.Nl)
	ignorable := ranges{0, 8, 0x0E, 0x1B, 0x7F, 0x9F}
	part := append(append(fromTables(unicode.Pc, unicode.Nd, unicode.Mc, unicode.Mn, unicode.Cf), start...), ignorable...)
	space := fromTables(unicode.Z)
	switch name {
	case "LowerCase", "UpperCase", "Alphabetic", "Ideographic", "TitleCase", "Digit", "Letter":
		return p.unicodeClass(strings.ToUpper(name))
	case "Defined":
		return assigned()
	case "LetterOrDigit":
		return fromTables(unicode.L, unicode.Nd)
	case "JavaIdentifierStart":
		return append(start, fromTables(unicode.Sc, unicode.Pc)...)
	case "JavaIdentifierPart":
		return append(part, fromTables(unicode.Sc)...)
	case "UnicodeIdentifierStart":
		return append(start, fromTables(unicode.Other_ID_Start)...)
	case "UnicodeIdentifierPart":
		return append(part, fromTables(unicode.Other_ID_Start, unicode.Other_ID_Continue)...)
	case "IdentifierIgnorable":
		return append(fromTables(unicode.Cf), ignorable...)
	case "SpaceChar":
		return space
	case "Whitespace":
		return append(space.but(ranges{0xA0, 0xA0, 0x2007, 0x2007, 0x202F, 0x202F}), '\t', '\r', 0x1C, 0x1F)
	case "ISOControl":
		return fromTables(unicode.Cc)
	}
	return nil
}

// unicodeScript are the characters of a script of Unicode.
func unicodeScript(name string) ranges {
	if id, ok := map[string]string{"LATN": "Latin", "GREK": "Greek", "CYRL": "Cyrillic", "HANI": "Han", "HIRA": "Hiragana", "KANA": "Katakana",
		"ARAB": "Arabic", "HEBR": "Hebrew", "ARMN": "Armenian", "THAI": "Thai", "HANG": "Hangul", "DEVA": "Devanagari", "ZYYY": "Common", "ZINH": "Inherited"}[strings.ToUpper(name)]; ok {
		name = id
	}
	for id, t := range unicode.Scripts {
		if strings.EqualFold(id, name) {
			return fromTables(t)
		}
	}
	return nil
}

// unicodeBlock are the characters of a block of Unicode: of those one meets.
func unicodeBlock(name string) ranges {
	name = strings.ToUpper(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(name))
	return map[string]ranges{
		"BASICLATIN": {0, 0x7F}, "LATIN1SUPPLEMENT": {0x80, 0xFF}, "LATINEXTENDEDA": {0x100, 0x17F}, "LATINEXTENDEDB": {0x180, 0x24F},
		"IPAEXTENSIONS": {0x250, 0x2AF}, "COMBININGDIACRITICALMARKS": {0x300, 0x36F}, "GREEK": {0x370, 0x3FF}, "GREEKANDCOPTIC": {0x370, 0x3FF},
		"CYRILLIC": {0x400, 0x4FF}, "ARMENIAN": {0x530, 0x58F}, "HEBREW": {0x590, 0x5FF}, "ARABIC": {0x600, 0x6FF}, "DEVANAGARI": {0x900, 0x97F},
		"THAI": {0xE00, 0xE7F}, "LATINEXTENDEDADDITIONAL": {0x1E00, 0x1EFF}, "GREEKEXTENDED": {0x1F00, 0x1FFF}, "GENERALPUNCTUATION": {0x2000, 0x206F},
		"CURRENCYSYMBOLS": {0x20A0, 0x20CF}, "LETTERLIKESYMBOLS": {0x2100, 0x214F}, "ARROWS": {0x2190, 0x21FF}, "MATHEMATICALOPERATORS": {0x2200, 0x22FF},
		"BOXDRAWING": {0x2500, 0x257F}, "CJKSYMBOLSANDPUNCTUATION": {0x3000, 0x303F}, "HIRAGANA": {0x3040, 0x309F}, "KATAKANA": {0x30A0, 0x30FF},
		"CJKUNIFIEDIDEOGRAPHS": {0x4E00, 0x9FFF}, "HANGULSYLLABLES": {0xAC00, 0xD7AF}, "EMOTICONS": {0x1F600, 0x1F64F},
	}[name]
}
