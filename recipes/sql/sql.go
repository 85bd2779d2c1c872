// Package sql is groovy.sql.Sql for MySQL, MariaDB and PostgreSQL, through
// their Go drivers: a JDBC URL names the database, a GString's values are
// bound as parameters. It is not JDBC: there are no drivers to load, no data
// sources, no DataSet. It never runs while a recipe is only checked; who
// embeds it sees to that.
package sql

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"appliance/recipes/groovy"
)

// Host is what connections need of the embedder.
type Host struct {
	// Refuse is why there are no connections here; empty: there are.
	Refuse string
	// Opened is told of each connection, which is closed at the end of the
	// evaluation if the script does not. Nil: it is the script's to close.
	Opened func(io.Closer)
}

// Members are the names that the class and its objects answer.
func Members() []string {
	return strings.Fields(`newInstance withInstance loadDriver expand eachRow rows firstRow execute executeUpdate executeInsert query
		withTransaction withBatch cacheConnection commit rollback close updateCount connection url
		addBatch executeBatch next toRowResult getAt keySet containsKey metaData columnCount columnNames getColumnName getColumnLabel getColumnCount
		getObject getString getInt getLong getShort getDouble getFloat getBoolean getDate getTimestamp getBigDecimal getBytes wasNull getRow
		autoCommit setAutoCommit isClosed`)
}

// Class is the class groovy.sql.Sql.
func Class(h Host) *groovy.Class {
	return &groovy.Class{Name: "Sql", Members: Members(), Static: &groovy.Functions{Name: "groovy.sql.Sql",
		Func: func(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
			switch id {
			case "newInstance":
				return h.open(t, args)
			case "withInstance":
				return h.with(t, args)
			case "loadDriver":
				return nil, nil
			case "expand":
				if len(args) == 1 {
					return &expanded{groovy.Format(args[0])}, nil
				}
			}
			return nil, groovy.ErrNoMember
		}}}
}

// expanded is a value that stands in the text itself: Sql.expand(table).
type expanded struct{ text string }

// Type names the class.
func (*expanded) Type() string { return "groovy.sql.ExpandedVariable" }

// String is the text.
func (e *expanded) String() string { return e.text }

// Get, Set and Call know nothing.
func (*expanded) Get(*groovy.Thread, string) (groovy.Value, error) { return nil, groovy.ErrNoMember }

// Set refuses.
func (*expanded) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call refuses.
func (*expanded) Call(*groovy.Thread, string, []groovy.Value) (groovy.Value, error) {
	return nil, groovy.ErrNoMember
}

// connection is an object of the class. It holds one connection, so that what
// a session is told stays told.
type connection struct {
	session session
	kind    string // mysql, postgresql
	inTx    bool   // a transaction is open
	updated int64
	closed  bool
}

func (h Host) open(t *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	if h.Refuse != "" {
		return nil, groovy.Throw("UnsupportedOperationException", "Sql.newInstance is not available: %s", h.Refuse)
	}
	a, err := addressOf(t, args)
	if err != nil {
		return nil, err
	}
	c := &connection{kind: a.kind}
	if c.session, err = a.dial(t.Context()); err != nil {
		return nil, c.fault(t, "connect to "+a.shown(), err)
	}
	if h.Opened != nil {
		h.Opened(c)
	}
	return c, nil
}

// with is withInstance(..., closure): the connection is closed behind it.
func (h Host) with(t *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	body, rest := lastClosure(args)
	if body == nil {
		return nil, groovy.ErrNoMember
	}
	c, err := h.open(t, rest)
	if err != nil {
		return nil, err
	}
	v, err := t.Call(body, c)
	return v, errors.Join(err, c.(*connection).Close())
}

func lastClosure(args []groovy.Value) (*groovy.Closure, []groovy.Value) {
	if len(args) == 0 {
		return nil, args
	}
	c, ok := args[len(args)-1].(*groovy.Closure)
	if !ok {
		return nil, args
	}
	return c, args[:len(args)-1]
}

// Close gives the connection back. It may be called again.
func (c *connection) Close() error {
	if c.closed {
		return nil
	}
	c.closed = true
	return c.session.close() // the server rolls back what is open
}

// fault is what a database says as a SQLException.
func (c *connection) fault(t *groovy.Thread, what string, err error) error {
	if t.Context().Err() != nil {
		return t.Context().Err()
	}
	return groovy.Throw("SQLException", "%s: %v", what, err)
}

// Type names the class.
func (*connection) Type() string { return "groovy.sql.Sql" }

// Binds makes GStrings arrive with their values.
func (*connection) Binds() {}

// Get reads a property.
func (c *connection) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "updateCount":
		return c.updated, nil
	case "connection":
		return c, nil
	case "autoCommit":
		return !c.inTx, nil
	}
	return nil, groovy.ErrNoMember
}

// Set takes connection.autoCommit.
func (c *connection) Set(t *groovy.Thread, id string, v groovy.Value) error {
	if id != "autoCommit" {
		return groovy.ErrNoMember
	}
	switch on := groovy.Truth(v); {
	case on && c.inTx:
		return c.tell(t, "COMMIT")
	case !on && !c.inTx:
		return c.tell(t, "BEGIN")
	}
	return nil
}

// tell begins or ends a transaction.
func (c *connection) tell(t *groovy.Thread, word string) error {
	c.inTx = word == "BEGIN"
	if _, err := c.session.exec(t.Context(), word, nil); err != nil {
		return c.fault(t, strings.ToLower(word), err)
	}
	return nil
}

// Call calls a method.
func (c *connection) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "close":
		return nil, c.Close()
	case "isClosed":
		return c.closed, nil
	}
	if c.closed {
		return nil, groovy.Throw("SQLException", "the connection is closed")
	}
	switch id {
	case "commit", "rollback":
		if !c.inTx {
			return nil, nil
		}
		if err := c.tell(t, strings.ToUpper(id)); err != nil {
			return nil, err
		}
		return nil, c.tell(t, "BEGIN") // until autoCommit is set again
	case "setAutoCommit":
		if len(args) == 1 {
			return nil, c.Set(t, "autoCommit", args[0])
		}
	case "getConnection":
		return c, nil
	case "getUpdateCount":
		return c.updated, nil
	case "withTransaction", "cacheConnection", "withBatch":
		return c.within(t, id, args)
	case "eachRow", "rows", "firstRow", "query":
		return c.read(t, id, args)
	case "execute", "executeUpdate", "executeInsert":
		return c.write(t, id, args)
	case "call", "callWithRows", "dataSet":
		return nil, groovy.Throw("UnsupportedOperationException", "Sql.%s is not available", id)
	}
	return nil, groovy.ErrNoMember
}

// within are the methods that run a closure.
func (c *connection) within(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	body, rest := lastClosure(args)
	if body == nil {
		return nil, groovy.ErrNoMember
	}
	switch id {
	case "cacheConnection":
		return t.Call(body, c)
	case "withBatch":
		return c.batch(t, rest, body)
	}
	if c.inTx { // inside another
		return t.Call(body, c)
	}
	if err := c.tell(t, "BEGIN"); err != nil {
		return nil, err
	}
	v, err := t.Call(body, c)
	switch {
	case t.Context().Err() != nil: // closing rolls back
		return nil, errors.Join(err, c.Close())
	case err != nil:
		return nil, errors.Join(err, c.tell(t, "ROLLBACK"))
	case c.inTx:
		err = c.tell(t, "COMMIT")
	}
	return v, err
}

func (c *connection) query(t *groovy.Thread, s statement) (*result, error) {
	tab, err := c.session.query(t.Context(), s.text, s.args, t.Alloc)
	if err != nil {
		return nil, c.fault(t, s.shown(), err)
	}
	return newResult(tab), nil
}

// read are the methods that give rows.
func (c *connection) read(t *groovy.Thread, id string, args []groovy.Value) (v groovy.Value, err error) {
	body, rest := lastClosure(args)
	if body != nil { // eachRow(sql, meta) { }: the first closure sees the columns
		if meta, _ := lastClosure(rest); meta != nil && id == "eachRow" {
			rest = rest[:len(rest)-1]
		}
	}
	s, err := parse(t, rest)
	if err != nil {
		return nil, err
	}
	r, err := c.query(t, s)
	if err != nil {
		return nil, err
	}
	if id == "query" && body != nil {
		return t.Call(body, r)
	}
	from, to := min(max(s.offset-1, 0), len(r.all)), len(r.all)
	if s.most > 0 {
		to = min(to, from+s.most)
	}
	list := groovy.NewList()
	for _, w := range r.all[from:to] {
		switch id {
		case "firstRow":
			return w, nil
		case "eachRow":
			if body == nil {
				return nil, groovy.ErrNoMember
			}
			if _, err := t.Call(body, w); err != nil {
				return nil, err
			}
		default:
			list.Elems = append(list.Elems, w)
		}
	}
	if id == "rows" {
		return list, nil
	}
	return nil, nil
}

// write are the methods that change something.
func (c *connection) write(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	s, err := parse(t, args)
	if err != nil {
		return nil, err
	}
	if id == "executeInsert" && c.kind == "postgresql" {
		return c.inserted(t, s)
	}
	o, err := c.session.exec(t.Context(), s.text, s.args)
	if err != nil {
		return nil, c.fault(t, s.shown(), err)
	}
	c.updated = o.n
	switch id {
	case "execute":
		return o.rows, nil
	case "executeUpdate":
		return o.n, nil
	}
	keys := groovy.NewList()
	if o.key != 0 {
		keys.Elems = append(keys.Elems, groovy.NewList(groovy.Long(o.key)))
	}
	return keys, nil
}

// inserted is executeInsert where the server returns what it wrote.
func (c *connection) inserted(t *groovy.Thread, s statement) (groovy.Value, error) {
	if !strings.Contains(strings.ToLower(s.text), "returning") {
		s.text = strings.TrimRight(strings.TrimSpace(s.text), ";") + " RETURNING *"
	}
	r, err := c.query(t, s)
	if err != nil {
		return nil, err
	}
	keys := groovy.NewList()
	for _, w := range r.all {
		keys.Elems = append(keys.Elems, groovy.NewList(w.vals...))
	}
	c.updated = int64(len(keys.Elems))
	return keys, nil
}

// batch is withBatch: statements run as they are added, which a database that
// is asked for one answer more does not notice.
func (c *connection) batch(t *groovy.Thread, args []groovy.Value, body *groovy.Closure) (groovy.Value, error) {
	text := ""
	for _, a := range args {
		if _, size := a.(int64); !size {
			text = groovy.Format(a)
		}
	}
	counts := groovy.NewList()
	b := &batch{c: c, text: text, counts: counts}
	if _, err := t.Call(body, b); err != nil {
		return nil, err
	}
	return counts, nil
}

// batch is the statement that withBatch gives to its closure.
type batch struct {
	c      *connection
	text   string // of a prepared one
	counts *groovy.List
}

// Type names the class.
func (*batch) Type() string { return "groovy.sql.BatchingStatementWrapper" }

// Binds makes GStrings arrive with their values.
func (*batch) Binds() {}

// Get knows no properties.
func (*batch) Get(*groovy.Thread, string) (groovy.Value, error) { return nil, groovy.ErrNoMember }

// Set refuses.
func (*batch) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call adds a statement, or the parameters of the prepared one.
func (b *batch) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "executeBatch":
		return b.counts, nil
	case "addBatch", "call":
	default:
		return nil, groovy.ErrNoMember
	}
	if b.text != "" {
		args = append([]groovy.Value{b.text}, args...)
	}
	n, err := b.c.write(t, "executeUpdate", args)
	if err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	b.counts.Elems = append(b.counts.Elems, n)
	return nil, nil
}
