package xml

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"appliance/recipes/groovy"
)

func run(t testing.TB, src string, limits groovy.Limits) (string, error) {
	t.Helper()
	s, err := groovy.Parse("t.groovy", src)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	in := &groovy.Interp{Out: &out, Limits: limits, Classes: Classes(Host{})}
	_, err = in.Run(t.Context(), s)
	return out.String(), err
}

// TestLimits: what holds itself, is deep or is large ends with an error that
// no script catches.
func TestLimits(t *testing.T) {
	small := groovy.Limits{Steps: 1 << 20, Bytes: 8 << 20, Depth: 2000}
	for _, src := range []string{
		`def n = new Node(null, 'a'); n.append(n); n.text()`,
		`def n = new Node(null, 'a'); n.append(n); n.append(n); n.depthFirst()`,
		`def n = new Node(null, 'a'); n.append(n); n.append(n); n.breadthFirst()`,
		`def n = new Node(null, 'a'); n.append(n); n.clone()`,
		`def n = new Node(null, 'a'); n.append(n); new XmlNodePrinter().print(n)`,
		`def n = new Node(null, 'a'); n.append(n); groovy.xml.XmlUtil.serialize(n)`,
		`def n = new Node(null, 'a'); def m = n; 5000.times { m = m.appendNode('b') }; n.text()`,
		`def g = new XmlSlurper().parseText('<a/>'); g.appendNode(g); g.appendNode(g); g.text()`,
		`def g = new XmlSlurper().parseText('<a/>'); g << g; new groovy.xml.StreamingMarkupBuilder().bindNode(g).toString()`,
		`def g = new XmlSlurper().parseText('<a/>'); g << { mkp.yield g }; new groovy.xml.StreamingMarkupBuilder().bindNode(g).toString()`,
		`new XmlParser().parseText('<a>' + '<b/>' * 100000 + '</a>')`,
		`new XmlSlurper().parseText('<a>' + '<b/>' * 100000 + '</a>')`,
		`groovy.xml.XmlUtil.serialize('<a>' + '<b/>' * 100000 + '</a>')`,
		`def w = new StringWriter(); new groovy.xml.MarkupBuilder(w).a { while (true) b('x' * 1000) }`,
		`new groovy.xml.StreamingMarkupBuilder().bind { while (true) b('x' * 1000) }.toString()`,
		`def f; f = { b f }; new groovy.xml.MarkupBuilder().a f`,
		`def f; f = { b f }; new NodeBuilder().a f`,
	} {
		if _, err := run(t, "try { "+src+" } catch (Throwable e) { println e }", small); !errors.Is(err, groovy.ErrLimit) {
			t.Errorf("%s: %v, want a limit", src, err)
		}
	}
	for _, src := range []string{
		`def n = new Node(null, 'a'); n.append(n); "$n".size()`,
		`def n = new Node(null, 'a'); n.value = [[n]]; "$n".size()`,
		`def n = new Node(null, 'a'); n.children() << n.children(); "$n ${n.children()}".size(); n.children() == n.children()`,
		`def g = new XmlSlurper().parseText('<a/>'); g.appendNode([g, [g]]); "$g".size()`,
		`def g = new XmlSlurper().parseText('<a/>'); g.appendNode([a: g]); "$g".size(); g == g`,
	} {
		if _, err := run(t, src, small); err != nil && !errors.Is(err, groovy.ErrLimit) {
			t.Errorf("%s: %v", src, err)
		}
	}
}

// TestDeep: a document nests as deep as it may, and no deeper.
func TestDeep(t *testing.T) {
	src := `def s = '<a>' * N + '</a>' * N
for (p in [new XmlParser(), new XmlSlurper()]) { def n = p.parseText(s); println n.text() + n.'**'.size(); groovy.xml.XmlUtil.serialize(n) }`
	if out, err := run(t, strings.ReplaceAll(src, "N", "990"), groovy.Limits{}); err != nil || out != "990\n990\n" {
		t.Error(out, err)
	}
	if _, err := run(t, strings.ReplaceAll(src, "N", "1001"), groovy.Limits{}); err == nil || !strings.Contains(err.Error(), "SAXParseException") {
		t.Error(err)
	}
}

// TestCheck: the checker knows what scripts do with XML.
func TestCheck(t *testing.T) {
	files, err := filepath.Glob("../groovy/testdata/oracle/host_xml_*.groovy")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	in := &groovy.Interp{Classes: Classes(Host{})}
	for _, id := range []string{"System", "File"} {
		in.Classes[id] = &groovy.Class{Name: id}
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		s, err := groovy.Parse(filepath.Base(f), string(src))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range in.Check(s) {
			t.Error(m.Error)
		}
	}
}

// FuzzScan: no text makes the scanner fail but by a SAXParseException, and
// what it reads is written as a document that can be read.
func FuzzScan(f *testing.F) {
	for _, s := range []string{`<a/>`, `<?xml version="1.0"?><!DOCTYPE a><a b="c">t&amp;&#65;<!-- c --><![CDATA[d]]><?p i?><x:e xmlns:x="u" x:y='z'/></a>`, `<a`, `<a>&x;</a>`, "<\xff/>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		src := `def s = System.in
for (p in [new XmlParser(), new XmlSlurper()]) {
  p.setFeature('http://apache.org/xml/features/disallow-doctype-decl', false)
  def n = null
  try { n = p.parseText(s) } catch (org.xml.sax.SAXParseException e) { e.lineNumber }
  if (n == null) continue
  "$n".size()
  def again = p.parseText(groovy.xml.XmlUtil.serialize(n))
  if (again.name() != n.name()) throw new Exception("${again.name()}")
}
try { groovy.xml.XmlUtil.serialize(s) } catch (org.xml.sax.SAXParseException e) { }`
		p, err := groovy.Parse("f.groovy", src)
		if err != nil {
			t.Fatal(err)
		}
		in := &groovy.Interp{Classes: Classes(Host{})}
		in.Classes["System"] = &groovy.Class{Name: "System", Static: &groovy.Functions{Name: "System", Consts: map[string]groovy.Value{"in": s}}}
		if _, err := in.Run(t.Context(), p); err != nil && !errors.Is(err, groovy.ErrLimit) {
			t.Errorf("%q: %v", s, err)
		}
	})
}
