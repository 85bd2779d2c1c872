package groovy

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// tree is a syntax tree as text, without places and without what the resolver
// adds: two texts that mean the same have the same.
func tree(s *Script) string {
	var b strings.Builder
	for _, d := range s.imports {
		fmt.Fprintf(&b, "import %v %s %v %s\n", d.static, d.path, d.star, d.alias)
	}
	var classes []string
	for _, c := range s.classes {
		var one strings.Builder
		dump(&one, reflect.ValueOf(c))
		classes = append(classes, one.String())
	}
	slices.Sort(classes) // the printer moves those that stand in functions
	b.WriteString(strings.Join(classes, "\n"))
	for _, m := range s.methods {
		b.WriteString("\n")
		dump(&b, reflect.ValueOf(m))
	}
	b.WriteString("\n")
	dump(&b, reflect.ValueOf(s.main.body))
	return b.String()
}

// derived are fields that say where something stands, or what follows from others.
func derived(field string) bool {
	return hasWord("pos node slots height captures least rest typed callee code fieldInit staticInit outer lazy keep slot captured text spreadArgs up", field)
}

func dump(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		if v.Kind() == reflect.Pointer && v.Type() == reflect.TypeFor[*Decimal]() {
			fmt.Fprintf(b, "decimal %v %v", v.Elem().Field(0), v.Elem().Field(1))
			return
		}
		dump(b, v.Elem())
	case reflect.Struct:
		b.WriteString(v.Type().Name() + "{")
		for i := range v.NumField() {
			f := v.Type().Field(i).Name
			if derived(f) || v.Type().Name() == "name" && f == "local" {
				continue
			}
			b.WriteString(f + ":")
			dump(b, v.Field(i))
			b.WriteString(" ")
		}
		b.WriteString("}")
	case reflect.Slice:
		b.WriteString("[")
		for i := range v.Len() {
			dump(b, v.Index(i))
			b.WriteString(", ")
		}
		b.WriteString("]")
	default:
		fmt.Fprintf(b, "%s(%v)", v.Type(), v)
	}
}

// stable says how printing s and parsing it again changes it; empty: not.
func stable(s *Script) string {
	text := printed(s)
	again, err := Parse(s.File, text)
	if err != nil {
		if strings.Contains(err.Error(), "nested too deep") || strings.Contains(err.Error(), "larger than") {
			return "" // the printer's parentheses nest deeper
		}
		return fmt.Sprintf("printed text does not parse: %v\n%s", err, text)
	}
	if a, b := tree(s), tree(again); a != b {
		return "the tree changes:\n" + diffLines(a, b) + "\n" + text
	}
	if twice := printed(again); twice != text {
		return "the text changes:\n" + diffLines(text, twice)
	}
	return ""
}

// TestPrint: what is printed parses into the same tree.
func TestPrint(t *testing.T) {
	files, err := filepath.Glob("testdata/oracle/*.groovy")
	if err != nil || len(files) < 400 {
		t.Fatal(len(files), err)
	}
	shipped, err := filepath.Glob("../shipped/*/*.groovy")
	if err != nil || len(shipped) < 5 {
		t.Fatal(len(shipped), err)
	}
	for _, file := range append(files, shipped...) {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(filepath.Base(file), string(src))
		if err != nil {
			continue
		}
		if diff := stable(s); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}
