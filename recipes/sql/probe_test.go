package sql

import (
	"fmt"

	"appliance/recipes/groovy"
)

// asked is a class F whose f(...) parses its arguments as a statement.
type asked struct{ got, numbered string }

func (*asked) Type() string { return "F" }
func (*asked) Binds()       {}

func (*asked) Get(*groovy.Thread, string) (groovy.Value, error) { return nil, groovy.ErrNoMember }
func (*asked) Set(*groovy.Thread, string, groovy.Value) error   { return groovy.ErrNoMember }

func (a *asked) Call(t *groovy.Thread, _ string, args []groovy.Value) (groovy.Value, error) {
	s, err := parse(t, args)
	if err != nil {
		return nil, err
	}
	rest := ""
	if len(s.args) > 0 {
		rest = " " + fmt.Sprint(s.args)
	}
	a.got, a.numbered = s.text+rest, numbered(s.text)+rest
	return nil, nil
}
