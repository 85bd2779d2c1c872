package xml

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"appliance/recipes/groovy"
)

// maxDepth bounds how deep elements nest, of documents and of trees that
// scripts make.
const maxDepth = 1000

// attr is an attribute as it is written.
type attr struct{ name, value string }

// sink takes what a document holds, in its order.
type sink interface {
	start(name string, attrs []attr) error
	end() error
	text(s string) error
	comment(s string) error
	instruction(target, data string) error
}

// scanner reads a document. Nothing is expanded but the five entities of XML
// and characters by number; a DTD is never read.
type scanner struct {
	s        string
	i        int
	to       sink
	open     []string
	doctypes bool // a DOCTYPE is passed over
	external bool // a DTD outside may be named: it is not asked for
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// scan reads all of the document.
func (x *scanner) scan() error {
	x.s = lineEnds.Replace(strings.TrimPrefix(x.s, "\ufeff"))
	if x.at("<?xml") && len(x.s) > 5 && space(x.s[5]) {
		end := strings.Index(x.s, "?>")
		if end < 0 {
			x.i = len(x.s)
			return x.fault("XML document structures must start and end within the same entity.")
		}
		x.i = end + 2
	}
	root := false
	for {
		before := x.i
		x.blank()
		switch {
		case x.i == len(x.s) && !root:
			return x.fault("Premature end of file.")
		case x.i == len(x.s):
			return nil
		case x.s[x.i] != '<' && root:
			return x.fault("Content is not allowed in trailing section.")
		case x.s[x.i] != '<':
			return x.fault("Content is not allowed in prolog.")
		}
		var err error
		switch {
		case x.at("<!--"), x.at("<?"):
			err = x.markup()
		case x.at("<!DOCTYPE") && !root:
			err = x.doctype()
		case root:
			x.i++
			err = x.fault("The markup in the document following the root element must be well-formed.")
		default:
			if _, ok := x.nameAt(x.i + 1); !ok {
				x.i++
				return x.fault("The markup in the document preceding the root element must be well-formed.")
			}
			root = true
			err = x.element()
		}
		if err != nil {
			return err
		}
		if x.i == before {
			return x.fault("The markup in the document must be well-formed.")
		}
	}
}

// fault is a SAXParseException at the place that is read next.
func (x *scanner) fault(format string, args ...any) error {
	before := x.s[:min(x.i, len(x.s))]
	line := 1 + strings.Count(before, "\n")
	col := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return groovy.ThrowAt("SAXParseException", groovy.Pos{Line: line, Col: col}, format, args...)
}

func (x *scanner) at(s string) bool { return strings.HasPrefix(x.s[x.i:], s) }

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// blank passes over white space; false when there is none.
func (x *scanner) blank() bool {
	from := x.i
	for x.i < len(x.s) && space(x.s[x.i]) {
		x.i++
	}
	return x.i > from
}

// nameAt is the name that begins at i.
func (x *scanner) nameAt(i int) (string, bool) {
	from := i
	for i < len(x.s) {
		r, n := utf8.DecodeRuneInString(x.s[i:])
		if !nameRune(r, i == from) || r == utf8.RuneError && n < 2 {
			break
		}
		i += n
	}
	return x.s[min(from, len(x.s)):i], i > from
}

func nameRune(r rune, first bool) bool {
	switch {
	case r == '_' || r == ':' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
		return true
	case r == '-' || r == '.' || r >= '0' && r <= '9' || r == 0xb7:
		return !first
	}
	return r >= 0xc0 && r != 0xd7 && r != 0xf7 && (r < 0x2000 || r >= 0x2070 && r < 0x2190 || r >= 0x2c00 && r < 0xd800 || r >= 0xf900 && r < 0xfffe)
}

// element reads the root element, with all in it.
func (x *scanner) element() error {
	if err := x.startTag(); err != nil {
		return err
	}
	for len(x.open) > 0 {
		if err := x.content(); err != nil {
			return err
		}
	}
	return nil
}

// content reads the next piece inside an element.
func (x *scanner) content() error {
	switch {
	case x.i >= len(x.s):
		return x.fault("XML document structures must start and end within the same entity.")
	case x.at("</"):
		return x.endTag()
	case x.at("<![CDATA["):
		end := strings.Index(x.s[x.i:], "]]>")
		if end < 0 {
			x.i = len(x.s)
			return x.fault("XML document structures must start and end within the same entity.")
		}
		part := x.s[x.i+9 : x.i+end]
		if err := x.legal(x.i+9, part, "CDATA section"); err != nil {
			return err
		}
		x.i += end + 3
		return x.to.text(part)
	case x.at("<!--"), x.at("<?"):
		return x.markup()
	case x.s[x.i] == '<':
		if _, ok := x.nameAt(x.i + 1); !ok {
			x.i++
			return x.fault("The content of elements must consist of well-formed character data or markup.")
		}
		return x.startTag()
	case x.s[x.i] == '&':
		s, err := x.reference()
		if err != nil {
			return err
		}
		return x.to.text(s)
	}
	end := strings.IndexAny(x.s[x.i:], "<&")
	if end < 0 {
		end = len(x.s) - x.i
	}
	part := x.s[x.i : x.i+end]
	if n := strings.Index(part, "]]>"); n >= 0 {
		x.i += n + 3
		return x.fault("The character sequence \"]]>\" must not appear in content unless used to mark the end of a CDATA section.")
	}
	if err := x.legal(x.i, part, "element content of the document"); err != nil {
		return err
	}
	x.i += end
	return x.to.text(part)
}

// legal refuses the characters that no document may hold.
func (x *scanner) legal(at int, part, where string) error {
	for i, r := range part {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0xfffe || r == 0xffff {
			x.i = at + i
			return x.fault("An invalid XML character (Unicode: 0x%x) was found in the %s.", r, where)
		}
	}
	return nil
}

// markup reads a comment or a processing instruction.
func (x *scanner) markup() error {
	if x.at("<!--") {
		end := strings.Index(x.s[x.i+4:], "--")
		if end < 0 {
			x.i = len(x.s)
			return x.fault("XML document structures must start and end within the same entity.")
		}
		part := x.s[x.i+4 : x.i+4+end]
		if err := x.legal(x.i+4, part, "comment"); err != nil {
			return err
		}
		if x.i += 6 + end; !x.at(">") {
			return x.fault("The string \"--\" is not permitted within comments.")
		}
		x.i++
		return x.to.comment(part)
	}
	target, ok := x.nameAt(x.i + 2)
	if !ok {
		x.i += 2
		return x.fault("The processing instruction target must begin with a name.")
	}
	if strings.EqualFold(target, "xml") {
		x.i += 2 + len(target)
		return x.fault("The processing instruction target matching \"[xX][mM][lL]\" is not allowed.")
	}
	end := strings.Index(x.s[x.i:], "?>")
	if end < 0 {
		x.i = len(x.s)
		return x.fault("XML document structures must start and end within the same entity.")
	}
	data := strings.TrimLeft(x.s[min(x.i+2+len(target), x.i+end):x.i+end], " \t\r\n")
	x.i += end + 2
	return x.to.instruction(target, data)
}

// startTag reads <name attributes>, and for <name/> the end, too.
func (x *scanner) startTag() error {
	name, _ := x.nameAt(x.i + 1)
	x.i += 1 + len(name)
	var attrs []attr
	twice := ""
	for {
		apart := x.blank()
		if x.i >= len(x.s) {
			return x.fault("XML document structures must start and end within the same entity.")
		}
		closed := x.at("/>")
		if closed || x.s[x.i] == '>' {
			x.i++
			if closed {
				x.i++
			}
			if twice != "" {
				return x.fault("Attribute %q was already specified for element %q.", twice, name)
			}
			return x.started(name, attrs, closed)
		}
		id, ok := x.nameAt(x.i)
		if !ok || !apart {
			return x.fault("Element type %q must be followed by either attribute specifications, \">\" or \"/>\".", name)
		}
		x.i += len(id)
		value, err := x.attribute(name, id)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(attrs, func(a attr) bool { return a.name == id }) {
			twice = id
		}
		if attrs = append(attrs, attr{id, value}); len(attrs) > maxDepth {
			return x.fault("Element type %q has more than %d attributes.", name, maxDepth)
		}
	}
}

func (x *scanner) started(name string, attrs []attr, closed bool) error {
	if x.open = append(x.open, name); len(x.open) > maxDepth {
		return x.fault("Elements nest more than %d deep.", maxDepth)
	}
	if err := x.to.start(name, attrs); err != nil || !closed {
		return err
	}
	x.open = x.open[:len(x.open)-1]
	return x.to.end()
}

// attribute reads what follows the name of an attribute.
func (x *scanner) attribute(of, id string) (string, error) {
	x.blank()
	if !x.at("=") {
		return "", x.fault("Attribute name %q associated with an element type %q must be followed by the ' = ' character.", id, of)
	}
	x.i++
	x.blank()
	if !x.at(`"`) && !x.at("'") {
		return "", x.fault("Open quote is expected for attribute %q associated with an  element type  %q.", id, of)
	}
	quote := x.s[x.i]
	x.i++
	var b strings.Builder
	for {
		if x.i >= len(x.s) {
			return "", x.fault("XML document structures must start and end within the same entity.")
		}
		c := x.s[x.i]
		switch {
		case c == quote:
			x.i++
			return b.String(), nil
		case c == '<':
			return "", x.fault("The value of attribute %q associated with an element type %q must not contain the '<' character.", id, of)
		case c == '&':
			s, err := x.reference()
			if err != nil {
				return "", err
			}
			b.WriteString(s)
			continue
		case space(c):
			b.WriteByte(' ')
		case c < ' ':
			return "", x.fault("An invalid XML character (Unicode: 0x%x) was found in the value of attribute %q and element is %q.", c, id, of)
		default:
			b.WriteByte(c)
		}
		x.i++
	}
}

// reference reads &name; or &#number;.
func (x *scanner) reference() (string, error) {
	x.i++
	if x.at("#") {
		end := strings.IndexByte(x.s[x.i:min(len(x.s), x.i+12)], ';')
		if end < 0 {
			return "", x.fault("The character reference must end with the ';' delimiter.")
		}
		digits, base := x.s[x.i+1:x.i+end], 10
		if digits == "" || digits[0] != 'x' && (digits[0] < '0' || digits[0] > '9') {
			x.i++
			return "", x.fault("A decimal representation must immediately follow the \"&#\" in a character reference.")
		}
		if strings.HasPrefix(digits, "x") {
			digits, base = digits[1:], 16
		}
		n, err := strconv.ParseUint(digits, base, 32)
		r := rune(n)
		if x.i += end + 1; err != nil || n > utf8.MaxRune || !utf8.ValidRune(r) || r < ' ' && !strings.ContainsRune("\n\t\r", r) || r == 0xfffe || r == 0xffff {
			return "", x.fault("Character reference \"&#%s\" is an invalid XML character.", strings.TrimSuffix(x.s[x.i-end:x.i], ";"))
		}
		return string(r), nil
	}
	name, ok := x.nameAt(x.i)
	if !ok {
		return "", x.fault("The entity name must immediately follow the '&' in the entity reference.")
	}
	if x.i += len(name); !x.at(";") {
		return "", x.fault("The reference to entity %q must end with the ';' delimiter.", name)
	}
	x.i++
	if n := slices.Index([]string{"lt", "gt", "amp", "quot", "apos"}, name); n >= 0 {
		return `<>&"'`[n : n+1], nil
	}
	return "", x.fault("The entity %q was referenced, but not declared.", name)
}

// endTag reads </name>.
func (x *scanner) endTag() error {
	last := x.open[len(x.open)-1]
	x.i += 2
	if name, _ := x.nameAt(x.i); name != last {
		return x.fault("The element type %q must be terminated by the matching end-tag \"</%s>\".", last, last)
	}
	x.i += len(last)
	x.blank()
	if x.i == len(x.s) {
		return x.fault("XML document structures must start and end within the same entity.")
	}
	if !x.at(">") {
		return x.fault("The end-tag for element type %q must end with a '>' delimiter.", last)
	}
	x.i++
	x.open = x.open[:len(x.open)-1]
	return x.to.end()
}

// doctype passes over a DOCTYPE where the script has allowed it. What only a
// DTD would say, defaults of attributes and entities, is not made up: a
// DOCTYPE with declarations is refused, as is one outside unless the script
// has turned the loading off.
func (x *scanner) doctype() error {
	x.i += len("<!DOCTYPE")
	if !x.doctypes {
		return x.fault("DOCTYPE is disallowed when the feature \"http://apache.org/xml/features/disallow-doctype-decl\" set to true.")
	}
	end := strings.IndexByte(x.s[x.i:], '>')
	if inner := strings.IndexByte(x.s[x.i:], '['); inner >= 0 && inner < end {
		x.i += inner
		return x.fault("Declarations in a DOCTYPE are not available.")
	}
	if end < 0 {
		x.i = len(x.s)
		return x.fault("XML document structures must start and end within the same entity.")
	}
	words := strings.Fields(x.s[x.i : x.i+end])
	if len(words) > 1 && !x.external {
		return x.fault("A DTD is not loaded: set the feature %q to false.", loadDTD)
	}
	x.i += end + 1
	return nil
}
