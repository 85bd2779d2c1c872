package sql

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"appliance/recipes/groovy"
)

// script runs a text with the class Sql and returns what it printed.
func script(t *testing.T, text string, args ...string) (string, error) {
	t.Helper()
	s, err := groovy.Parse("t.groovy", text)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	var left []io.Closer
	in := &groovy.Interp{Out: &out, Args: args, Classes: map[string]*groovy.Class{"Sql": Class(Host{Opened: func(c io.Closer) { left = append(left, c) }})}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = in.Run(ctx, s)
	for _, c := range left {
		if cerr := c.Close(); cerr != nil {
			t.Errorf("close: %v", cerr)
		}
	}
	return out.String(), err
}

// ready waits until the server answers.
func ready(t *testing.T, url, user string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		_, err := script(t, `groovy.sql.Sql.newInstance(args[0], args[1], "", "x").firstRow("select 1")`, url, user)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// exercise runs testdata/NAME.groovy against the server and compares what it
// prints with testdata/NAME.expected.
func exercise(t *testing.T, name, url, user string) {
	t.Helper()
	ready(t, url, user)
	text, err := os.ReadFile("testdata/" + name + ".groovy")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/" + name + ".expected")
	if err != nil {
		t.Fatal(err)
	}
	got, err := script(t, string(text), url, user)
	if err != nil || got != string(want) {
		t.Errorf("%v\ngot:\n%s\nwant:\n%s", err, got, want)
	}
}

// TestMariaDB and TestPostgreSQL run scripts against real servers, which they
// start on loopback. make root-test runs them; -short leaves them out.
func TestMariaDB(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	url, user := mariadb(t)
	exercise(t, "mariadb", url, user)
}

func TestPostgreSQL(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	url, user := postgresql(t)
	exercise(t, "postgresql", url, user)
}

// TestRefused: where there are no connections, or no such database, an error
// says so and never shows a password.
func TestRefused(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`groovy.sql.Sql.newInstance("jdbc:oracle:thin:@x", "u", "secret")`, "No suitable driver found for jdbc:oracle: there are mysql, mariadb and postgresql"},
		{`groovy.sql.Sql.newInstance("mysql://x", "u", "secret")`, "is no JDBC URL"},
		{`groovy.sql.Sql.newInstance("jdbc:mysql://h:99999/x", "u", "secret")`, "port \"99999\""},
		{`groovy.sql.Sql.newInstance(url: "jdbc:mysql://127.0.0.1:1/x", user: "u", password: "secret", driver: "com.mysql.jdbc.Driver")`, "connect to mysql at 127.0.0.1:1 as \"u\""},
		{`groovy.sql.Sql.newInstance("jdbc:postgresql://127.0.0.1:1/x?password=secret", "u", null, "org.postgresql.Driver")`, "connect to postgresql at 127.0.0.1:1 as \"u\""},
	} {
		_, err := script(t, tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(strings.SplitN(err.Error(), "\n", 2)[0], "secret") {
			t.Errorf("%s: %v, want %s", tt.text, err, tt.want)
		}
	}
	s, err := groovy.Parse("t.groovy", `groovy.sql.Sql.newInstance("jdbc:mysql://h/x")`)
	if err != nil {
		t.Fatal(err)
	}
	in := &groovy.Interp{Classes: map[string]*groovy.Class{"Sql": Class(Host{Refuse: "a recipe is checked"})}}
	var e *groovy.Error
	if _, err := in.Run(t.Context(), s); !errors.As(err, &e) || !strings.Contains(e.Msg, "Sql.newInstance is not available: a recipe is checked") {
		t.Errorf("checking: %v", err)
	}
}

// TestParse: what becomes of a statement's text and values.
func TestParse(t *testing.T) {
	for _, tt := range []struct{ text, want, numbered string }{
		{`f("select 1")`, "select 1", "select 1"},
		{`def n = "x"; f("a = ${n} and b = ${2}")`, "a = ? and b = ? [x 2]", "a = $1 and b = $2 [x 2]"},
		{`def n = "x"; f("a = '${n}' and b = \"${2}\"")`, "a = ? and b = ? [x 2]", "a = $1 and b = $2 [x 2]"},
		{`def n = "x"; def q = "a = ${n}"; f(q + " and b = 'k'")`, "a = ? and b = 'k' [x]", "a = $1 and b = 'k' [x]"},
		{`f("a = ? and b = '?' -- ?", [1, "y"])`, "a = ? and b = '?' -- ? [1 y]", "a = $1 and b = '?' -- ? [1 y]"},
		{`f("a = ?", 1L)`, "a = ? [1]", "a = $1 [1]"},
		{`f("a = :n and b::text = ':x'", [n: 3])`, "a = ? and b::text = ':x' [3]", "a = $1 and b::text = ':x' [3]"},
		{`f("a = ?.n", n: 3)`, "a = ? [3]", "a = $1 [3]"},
		{`f("a", null, true, 1.5)`, "a [<nil> true 1.5]", "a [<nil> true 1.5]"},
		{`def t = "tab"; f("select * from ${groovy.sql.Sql.expand(t)} where a = ${1}")`, "select * from tab where a = ? [1]", "select * from tab where a = $1 [1]"},
	} {
		s, err := groovy.Parse("t.groovy", "import groovy.sql.Sql\n"+strings.ReplaceAll(tt.text, "f(", "F.f("))
		if err != nil {
			t.Fatal(err)
		}
		probe := &asked{}
		in := &groovy.Interp{Classes: map[string]*groovy.Class{"Sql": Class(Host{}), "F": {Name: "F", Static: probe}}}
		if _, err := in.Run(t.Context(), s); err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if probe.got != tt.want || probe.numbered != tt.numbered {
			t.Errorf("%s = %q and %q, want %q and %q", tt.text, probe.got, probe.numbered, tt.want, tt.numbered)
		}
	}
}
