package recipes

import (
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
		"a/start.groovy":                  {Data: []byte("new Nowhere()\nnew Neither()\n")},
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
		"\tnumInstance 1\n", "a-service.groovy:5: The icon file", "The service type 'WEB' is undefined",
		"exceeds the maximum number of instances", "Can't convert value 'yup'",
		"the script instal.sh is not in the recipe's folder (did you mean install.sh?)",
		"start.groovy:1:1: class Nowhere is not available", "start.groovy:2:1: class Neither is not available",
		"The stop detection field only supports execution of closures", "Could not find property: nonsense",
		"is no number from 1 to 65535", "a-service.properties:1:5: ", "init: the script none.sh is not",
		"stray.groovy:2:1: unexpected end of file",
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

// TestCheckEnds: a fault in a loop is told once, and a loop ends.
func TestCheckEnds(t *testing.T) {
	_, found := Check(folderOf(service("while (true) { foo 1 }")), Options{})
	if len(found) != 1 || !strings.Contains(found[0].Text, "foo") {
		t.Errorf("findings = %v", found)
	}
}
