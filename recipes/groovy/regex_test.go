package groovy

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestPatternLimits: what a pattern may try ends by the limits of the
// evaluation, or with an error of the pattern.
func TestPatternLimits(t *testing.T) {
	long := strings.Repeat("a", 1<<20)
	for name, tt := range map[string]struct {
		pattern, text string
		limits        Limits
		want          string
	}{
		"ways":          {`(a|aa)+b`, long[:100], Limits{Steps: 1 << 20}, "steps"},
		"ways in ways":  {`((a*)*)*b`, long[:5000], Limits{Steps: 1 << 20}, "steps"},
		"memory":        {`(?:a|b)+`, long, Limits{Bytes: 1 << 20}, "ways to try"},
		"memory of all": {`(?:(a)|(b))+`, strings.Repeat(long, 4), Limits{Bytes: 1 << 40}, "ways to try"},
		"look-behind":   {`(?<=b.*)c`, long, Limits{Steps: 1 << 20}, "steps"},
		"reference":     {`(a+)\1+b`, long, Limits{Steps: 1 << 20}, "steps"},
		"nesting":       {strings.Repeat("(", 9000), "", Limits{}, "Nested too deep"},
		"classes":       {strings.Repeat("[", 9000), "", Limits{}, "Nested too deep"},
		"ranges":        {strings.Repeat(`\p{L}`, 1900), "", Limits{}, "Too many characters"},
		"length":        {long, "", Limits{}, "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			th := (&Interp{Limits: tt.limits}).thread(t.Context())
			re, err := th.patternOf(tt.pattern)
			if err == nil {
				_, err = th.finds(re, tt.text)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			t.Log(time.Since(begin))
		})
	}
}

// TestPatternGrows: repetitions of repetitions take no room.
func TestPatternGrows(t *testing.T) {
	th := (&Interp{}).thread(t.Context())
	re, err := th.patternOf(`((a{1000}){1000}){1000}|a{3}(b{2,1000000})?`)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := th.fits(re, "aaabbb"); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

// TestPatternEnds: the end of the context ends a match.
func TestPatternEnds(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	th := (&Interp{Limits: Limits{Steps: 1 << 60}}).thread(ctx)
	re, err := th.patternOf(`(a|aa)+b`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := th.fits(re, strings.Repeat("a", 100)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want deadline exceeded", err)
	}
}

// FuzzPattern: no pattern and no text panics or takes long, and what matches
// lies within the text, one match after another.
func FuzzPattern(f *testing.F) {
	for _, p := range []string{`(a|ab)(c|bcd)$`, `(?<=a*)b`, `(?i)[^a-c&&[\w]]{2,3}?`, `(?x) a # b`, `\Qa\E\R`, `(?<n>a)\k<n>\1`, `(?m)^.*+$`, `((a*)*)*b`, `\p{Lu}(?>x|y)++`, `(?:()|a)*?\G\b`} {
		f.Add(p, "abc aabcd\r\nxy É", 0)
	}
	f.Fuzz(func(t *testing.T, pattern, text string, flags int) {
		re, err := compile(pattern, flags&(flagClasses<<1-1))
		if err != nil {
			return
		}
		begin := time.Now()
		th := (&Interp{Limits: Limits{Steps: 100_000, Bytes: 1 << 20}}).thread(t.Context())
		list, err := th.matches(re, text, -1)
		if err != nil && !errors.Is(err, ErrLimit) {
			t.Error(err)
		}
		at := 0
		for _, m := range list {
			if m[0] < at || m[1] < m[0] || m[1] > len(text) {
				t.Errorf("%v of %q", m, text)
			}
			at = m[1]
			groupsAt(text, m)
		}
		if d := time.Since(begin); d > 5*time.Second {
			t.Errorf("it took %v", d)
		}
	})
}
