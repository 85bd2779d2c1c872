package groovy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func parsed(b *testing.B, file string) *Script {
	b.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	s, err := Parse(filepath.Base(file), string(src))
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkParse parses the lifecycle scripts of the oracle, as one text.
func BenchmarkParse(b *testing.B) {
	files, err := filepath.Glob("testdata/oracle/life_*.groovy")
	if err != nil || len(files) == 0 {
		b.Fatal(err)
	}
	var list []string
	size := 0
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		list = append(list, string(src))
		size += len(src)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		for _, src := range list {
			if _, err := Parse("x", src); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkSuite evaluates testdata/suite.groovy.
func BenchmarkSuite(b *testing.B) {
	s := parsed(b, "testdata/suite.groovy")
	for b.Loop() {
		var out strings.Builder
		in := &Interp{Out: &out, Limits: Limits{Steps: 1 << 40, Bytes: 1 << 40}}
		if _, err := in.Run(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStart parses and evaluates a script of one line, library included.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		newLibrary()
		s, err := Parse("x", `println "hello"`)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := (&Interp{}).Run(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}
