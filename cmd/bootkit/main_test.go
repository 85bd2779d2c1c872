package main

import (
	"bytes"
	"errors"
	"flag"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	for _, tt := range []struct {
		name   string
		args   []string
		is     error
		stderr string
	}{
		{"nothing", nil, errUsage, ""},
		{"unknown", []string{"fly"}, errUsage, ""},
		{"unknown flag", []string{"kit", "-fly"}, errUsage, "-agent"},
		{"help", []string{"image", "-help"}, flag.ErrHelp, "-kernel"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			err := run(t.Context(), tt.args, &stdout, &stderr)
			if !errors.Is(err, tt.is) || !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("run = %v, stderr %q; want %v and %q", err, stderr.String(), tt.is, tt.stderr)
			}
			if stdout.Len() > 0 {
				t.Errorf("stdout = %q, want nothing", stdout.String())
			}
		})
	}
}
