package recipes

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestCheckTellsAll: one reading tells every fault, wherever it is: in the
// descriptor, its properties, the scripts it names, the base it extends.
func TestCheckTellsAll(t *testing.T) {
	fsys := fstest.MapFS{
		"a/a-service.groovy": {Data: []byte(`service {
    extend "../base"
    name "a"
    numInstance 1
    icon "none.png"
    type "WEB"
    numInstances 5
    elastic "yup"
    lifecycle {
        install "instal.sh"
        start "start.groovy"
        stopDetection "x.sh"
        nonsense 1
    }
    network { port 70000 }
}
`)},
		"a/a-service.properties":          {Data: []byte("x = )\n")},
		"a/install.sh":                    {Data: []byte("true")},
		"a/start.groovy":                  {Data: []byte("new Nowhere()\nnew Neither()\ncontext.admin.waitFor()\n\tx = context.getStorage()\n")},
		"a/stray.groovy":                  {Data: []byte("if (\n")},
		"base/base-service.groovy":        {Data: []byte("service { name \"b\"; lifecycle { init \"none.sh\" } }")},
		"base/base-service.properties":    {Data: []byte("y = 1")},
		"unrelated/unrelated-service.foo": {Data: []byte("")},
	}
	r, found := Check(fsys, Options{Dir: "a"})
	if r != nil {
		t.Error("Check returned a recipe that does not load")
	}
	var text strings.Builder
	for _, f := range found {
		text.WriteString(f.Text + "\n")
	}
	for _, want := range []string{
		"a-service.groovy:4:5: Could not find property: numInstance on Object: service (did you mean numInstances?)",
		"\tnumInstance 1\n", "a-service.groovy:5:5: The icon file", "The service type 'WEB' is undefined",
		"exceeds the maximum number of instances", "Can't convert value 'yup'",
		"the script instal.sh is not in the recipe's folder (did you mean install.sh?)",
		"start.groovy:1:1: class Nowhere is not available", "start.groovy:2:1: class Neither is not available",
		"start.groovy:3:9: context.admin is not available", "start.groovy:4:14: context.storage is not available",
		"The stop detection field only supports execution of closures", "Could not find property: nonsense",
		"is no number from 1 to 65535", "a-service.properties:1:5: ", "init: the script none.sh is not",
		"stray.groovy:1:4: '(' is not closed: unexpected end of file",
	} {
		if !strings.Contains(strings.ReplaceAll(text.String(), "    ", ""), strings.ReplaceAll(want, "    ", "")) {
			t.Errorf("findings lack %q", want)
		}
	}
	if t.Failed() {
		t.Logf("findings:\n%s", text.String())
	}
	for i, f := range found[1:] {
		if f.Fatal && !found[i].Fatal {
			t.Error("a warning stands before a fault")
		}
	}
	if _, err := Load(fsys, Options{Dir: "a"}); err == nil || strings.Count(err.Error(), "\n") < 10 {
		t.Errorf("Load = %v, want all faults", err)
	}
}

// TestExtendBeside: a descriptor may extend another one of its own folder.
func TestExtendBeside(t *testing.T) {
	fsys := fstest.MapFS{
		"a/a-service.groovy":    {Data: []byte("service { extend \"base-service.groovy\"; name \"a\" }")},
		"a/base-service.groovy": {Data: []byte("service { name \"base\"; numInstances 1 }")},
	}
	if r, found := Check(fsys, Options{Dir: "a/a-service.groovy"}); r == nil || r.Name != "a" {
		t.Errorf("Check = %v, findings %v", r, found)
	}
}

// TestCheckTellsOnce: what only follows from a fault is not told besides.
func TestCheckTellsOnce(t *testing.T) {
	for src, want := range map[string]string{
		"service {\n  name \"a\"\n  def x = null\n  x.foo()\n}": "a-service.groovy:4:5: java.lang.NullPointerException: Cannot invoke method foo() on null object\n\t  x.foo()\n\t    ^",
		"service {\n  name \"a\"\n  retries -2\n}":              "a-service.groovy:3:3: Could not resolve DSL entry with name: retries (it has no value here; one that begins with an operator is written retries(-1))\n\t  retries -2\n\t  ^",
		"service {\n  extend \"../../none\"\n  elastic true\n}": "a-service.groovy:2:3: could not find extended service in paths ../../none\n\t  extend \"../../none\"\n\t  ^",
	} {
		_, found := Check(fstest.MapFS{"a/a-service.groovy": {Data: []byte(src)}}, Options{Dir: "a"})
		if len(found) != 1 || found[0].Text != want {
			t.Errorf("%s: findings %v, want %q alone", src, found, want)
		}
	}
}

// TestCheckEnds: a fault in a loop is told once, and a loop ends.
func TestCheckEnds(t *testing.T) {
	_, found := Check(folderOf(service("while (true) { foo 1 }")), Options{})
	if len(found) != 1 || !strings.Contains(found[0].Text, "foo") {
		t.Errorf("findings = %v", found)
	}
}

// TestCheckMissing: what scripts and closures would not find is told before
// anything runs, of the recipe and of what it extends.
func TestCheckMissing(t *testing.T) {
	fsys := fstest.MapFS{
		"a/a-service.groovy":     {Data: []byte("service {\n\textend \"../b\"\n\tname \"a\"\n\tlifecycle {\n\t\tstart \"a_start.groovy\"\n\t\tstartDetection { ServiceUtils.isPortOcupied(port) }\n\t\tstopDetection { prot == 1 }\n\t}\n}\n")},
		"a/a-service.properties": {Data: []byte("port = 80\n")},
		"a/a_start.groovy":       {Data: []byte("def ant = new AntBuilder()\nant.sequential {\n\tmkdri(dir: \"x\")\n}\ncontext = org.cloudifysource.utilitydomain.context.ServiceContextFactory.getServiceContext()\ncontext.waitForServise(\"x\", 1, java.util.concurrent.TimeUnit.SECONDS)\n")},
		"b/b-service.groovy":     {Data: []byte("service {\n\tname \"b\"\n\tlifecycle { start \"b.sh\" }\n}\n")},
		"b/b.sh":                 {Data: []byte("")},
		"b/more.groovy":          {Data: []byte("println new File(\"x\").textt\n")},
	}
	r, found := Check(fsys, Options{Dir: "a"})
	if r == nil {
		t.Fatal(found)
	}
	var all strings.Builder
	for _, f := range found {
		if f.Fatal {
			t.Errorf("fatal: %s", f.Text)
		}
		all.WriteString(f.Text + "\n")
	}
	for _, want := range []string{
		"a-service.groovy:6:33: method isPortOcupied of class ServiceUtils is not available (did you mean isPortOccupied?)\n\t\t\tstartDetection",
		"a-service.groovy:7:19: name prot is not known here",
		"a_start.groovy:3:2: method mkdri is not available: no type has it (did you mean mkdir?)",
		"a_start.groovy:6:9: method waitForServise is not available: no type has it (did you mean waitForService?)",
		"more.groovy:1:23: property textt of File is not available (did you mean text?)",
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("not told: %s\ngot:\n%s", want, all.String())
		}
	}
}

// TestMembers: what the objects of scripts answer, the checker knows.
func TestMembers(t *testing.T) {
	known := strings.Fields(strings.Join(spoken(), " "))
	for _, c := range slices.Concat(classNames(), streamNames()) {
		known = append(append(known, c), members(c)...)
	}
	known = append(known, "type", "maxDepth", "visitRoot", "preRoot", "postRoot") // options of traverse
	known = append(known, "Int", "Long", "Double", "Boolean")                     // what Scanner.next... is of
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	object := regexp.MustCompile(`(?ms)^func (?:\([a-z]+ \*[a-zA-Z]+\) )?(?:Call|Get|Set|system|textMethod|folderMethod|[a-zA-Z]+)\([^\n]*groovy\.Value[^\n]*\{\n.*?^\}\n`)
	word := regexp.MustCompile(`(?m)case ((?:"[A-Za-z]+"(?:, )?)+):|(?:name|m) == "([A-Za-z]+)"`)
	for _, f := range names {
		if strings.HasSuffix(f, "_test.go") || f == "reader.go" || f == "convert.go" || f == "load.go" || f == "cloud.go" || f == "build.go" {
			continue
		}
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, fn := range object.FindAllString(string(src), -1) {
			for _, m := range word.FindAllStringSubmatch(fn, -1) {
				for _, id := range strings.Split(m[1]+m[2], ",") {
					if id = strings.Trim(id, `" `); id != "" && !slices.Contains(known, id) {
						t.Errorf("%s answers %s, which members lacks", f, id)
					}
				}
			}
		}
	}
}
