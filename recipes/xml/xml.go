// Package xml is Groovy's XML for scripts: XmlParser with its tree of Nodes,
// XmlSlurper with its GPathResults, and what writes: MarkupBuilder,
// StreamingMarkupBuilder, XmlNodePrinter, XmlUtil. It is not a JAXP: there are
// no DTDs, schemas, entities of documents, XPath or transformations, and
// nothing is ever asked of a network. What a text can do is bounded by its
// length, and what is made of it counts against the script's limits.
package xml

import (
	"regexp"
	"strings"

	"appliance/recipes/groovy"
)

// Host is what the classes need of the embedder.
type Host struct {
	// File makes the File of a path, which is asked for its text or bytes.
	File func(t *groovy.Thread, path string) (groovy.Value, error)
}

// Classes are the classes by name.
func Classes(h Host) map[string]*groovy.Class {
	all := map[string]*groovy.Class{}
	add := func(name, members string, construct func(t *groovy.Thread, a []groovy.Value) (groovy.Value, error), static groovy.Object) {
		all[name] = &groovy.Class{Name: name, New: construct, Static: static, Members: strings.Fields(members)}
	}
	reads := "parse parseText setFeature getFeature keepIgnorableWhitespace namespaceAware "
	add("XmlParser", reads+"trimWhitespace", func(_ *groovy.Thread, a []groovy.Value) (groovy.Value, error) { return newReader(h, "XmlParser", a) }, nil)
	add("XmlSlurper", reads, func(_ *groovy.Thread, a []groovy.Value) (groovy.Value, error) { return newReader(h, "XmlSlurper", a) }, nil)
	add("Node", "", newNode, nil)
	all["Node"].Members = nil // its children are asked for by name
	add("NodeList", "", func(_ *groovy.Thread, a []groovy.Value) (groovy.Value, error) {
		if len(a) > 0 {
			return nil, groovy.ErrNoMember
		}
		return newList(), nil
	}, nil)
	all["NodeList"].Members = nil
	add("NodeBuilder", "", func(*groovy.Thread, []groovy.Value) (groovy.Value, error) { return &nodeBuilder{}, nil }, nil)
	all["NodeBuilder"].Members = nil // its methods are the script's tags
	add("QName", "localPart namespaceURI prefix qualifiedName matches", newQName, nil)
	add("Namespace", "", newNamespace, nil)
	all["Namespace"].Members = nil
	add("GPathResult", "", nil, nil)
	all["GPathResult"].Members = Members()
	add("XmlNodePrinter", "print preserveWhitespace expandEmptyElements namespaceAware quote", newPrinter, nil)
	add("XmlUtil", "serialize escapeXml escapeControlCharacters", nil, &groovy.Functions{Name: "groovy.xml.XmlUtil", Func: utility})
	add("MarkupBuilder", "", newMarkup, nil)
	all["MarkupBuilder"].Members = nil
	add("StreamingMarkupBuilder", "", func(*groovy.Thread, []groovy.Value) (groovy.Value, error) { return &streaming{}, nil }, nil)
	all["StreamingMarkupBuilder"].Members = nil // its closures hold the script's tags
	return all
}

// Members are names that objects answer which no class makes.
func Members() []string {
	return strings.Fields(`name text value children attributes attribute parent appendNode append remove replaceNode setValue plus iterator
		depthFirst breadthFirst localText namespaceURI lookupNamespace declareNamespace replaceBody list isEmpty leftShift writeTo build
		toInteger toLong toFloat toDouble toBigDecimal toBigInteger toBoolean toURL toURI matches localPart qualifiedName
		mkp yield yieldUnescaped xmlDeclaration comment pi declareAlias getNamespaces doubleQuotes omitNullAttributes omitEmptyAttributes
		expandEmptyElements escapeAttributes bind bindNode lineNumber columnNumber`)
}

var accessor = regexp.MustCompile(`^(get|is|set)[A-Z]`)

// unknown is the answer for a method that an object lacks: the methods of
// every object are asked next, but never a property for getX(), as all names
// are properties.
func unknown(o groovy.Object, id string) error {
	switch id {
	case "getClass", "getProperty", "setProperty", "getAt", "putAt", "isCase":
		return groovy.ErrNoMember
	}
	if accessor.MatchString(id) {
		return groovy.Throw("MissingMethodException", "No signature of method: %s.%s() is applicable for these arguments", o.Type(), id)
	}
	return groovy.ErrNoMember
}

// content is the text of a document that a script gives: a File, a stream, a
// reader, or an Object whose text the embedder answers.
func content(t *groovy.Thread, v groovy.Value) (string, error) {
	o, ok := v.(groovy.Object)
	if !ok {
		return "", groovy.ErrNoMember
	}
	x, err := t.Get(o, "text")
	if err != nil {
		return "", err
	}
	text := groovy.Format(x)
	if enc := encoding.FindStringSubmatch(text[:min(len(text), 200)]); enc != nil && !strings.EqualFold(enc[1], "utf-8") && !strings.EqualFold(enc[1], "us-ascii") {
		return decoded(t, o, enc[1])
	}
	return text, nil
}

var encoding = regexp.MustCompile(`^<\?xml[^>]*\bencoding\s*=\s*["']([^"']+)["']`)

// decoded reads a document that is not in UTF-8.
func decoded(t *groovy.Thread, o groovy.Object, enc string) (string, error) {
	if !strings.EqualFold(enc, "iso-8859-1") && !strings.EqualFold(enc, "latin1") {
		return "", groovy.Throw("UnsupportedEncodingException", "%s", enc)
	}
	v, err := t.Get(o, "bytes")
	if err != nil {
		return "", err
	}
	b, ok := groovy.Bytes(v)
	if !ok {
		return "", groovy.Throw("UnsupportedEncodingException", "%s", enc)
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes), t.Alloc(6 * len(b))
}

// write gives text to a writer: what has print or write, or without one to the
// output of the script.
func write(t *groovy.Thread, w groovy.Value, text string) error {
	if w == nil {
		return t.Print(text)
	}
	_, err := t.CallMethod(w, "print", []groovy.Value{text})
	if groovy.IsMissing(err) {
		_, err = t.CallMethod(w, "write", []groovy.Value{text})
	}
	return err
}
