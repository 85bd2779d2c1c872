package sql

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

// result is a java.sql.ResultSet: the rows of a query, one after the other.
type result struct {
	names   []string
	all     []*row
	current *row
	number  int
	null    bool // the last value read was null
}

func newResult(t *table) *result {
	r := &result{names: t.names}
	for _, raw := range t.rows {
		w := &row{names: t.names, vals: make([]groovy.Value, len(raw))}
		for i, v := range raw {
			w.vals[i] = value(t.types[i], v)
		}
		r.all = append(r.all, w)
	}
	return r
}

// value is what a driver scanned as a value of the language.
func value(typ string, v any) groovy.Value {
	switch x := v.(type) {
	case int64:
		if typ == "BIGINT" || typ == "INT8" || typ == "UNSIGNED INT" || x != int64(int32(x)) {
			return groovy.Long(x)
		}
		return x
	case uint64:
		if x > math.MaxInt64 {
			return new(big.Int).SetUint64(x)
		}
		return groovy.Long(x)
	case float32:
		return groovy.Float(x)
	case float64:
		if typ == "FLOAT" || typ == "FLOAT4" {
			return groovy.Float(x)
		}
		return x
	case time.Time:
		return groovy.NewTimestamp(x, typ == "DATE")
	case []byte:
		switch typ {
		case "BLOB", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB", "BINARY", "VARBINARY", "BIT", "BYTEA", "GEOMETRY":
			return groovy.NewBytes(x)
		}
		return text(typ, string(x))
	case string:
		return text(typ, x)
	}
	return v
}

// text is a value that came as text.
func text(typ, s string) groovy.Value {
	switch strings.TrimPrefix(typ, "UNSIGNED ") {
	case "DECIMAL", "NUMERIC":
		if d, ok := groovy.NewDecimal(s); ok {
			return d
		}
	case "INT", "TINYINT", "SMALLINT", "MEDIUMINT", "BIGINT", "YEAR":
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return value(typ, n)
		}
	}
	return s
}

// Type names the class.
func (*result) Type() string { return "java.sql.ResultSet" }

// Get reads a column of the current row, or metaData.
func (r *result) Get(t *groovy.Thread, id string) (groovy.Value, error) {
	if id == "metaData" {
		return r.meta(), nil
	}
	if r.current == nil {
		return nil, groovy.ErrNoMember
	}
	return r.current.Get(t, id)
}

// Set refuses.
func (*result) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

func (r *result) meta() groovy.Value {
	names := groovy.NewList()
	for _, n := range r.names {
		names.Elems = append(names.Elems, n)
	}
	return &groovy.Functions{Name: "java.sql.ResultSetMetaData", Consts: map[string]groovy.Value{"columnCount": int64(len(r.names)), "columnNames": names},
		Func: func(_ *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
			switch {
			case id == "getColumnCount":
				return int64(len(r.names)), nil
			case (id == "getColumnName" || id == "getColumnLabel") && len(args) == 1:
				if n, ok := args[0].(int64); ok && n >= 1 && int(n) <= len(r.names) {
					return r.names[n-1], nil
				}
			}
			return nil, groovy.ErrNoMember
		}}
}

// Call moves on, or reads a column by name or by number from 1.
func (r *result) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "next":
		if r.number >= len(r.all) {
			r.current = nil
			return false, nil
		}
		r.current = r.all[r.number]
		r.number++
		return true, nil
	case "close":
		return nil, nil
	case "wasNull":
		return r.null, nil
	case "getRow":
		return int64(r.number), nil
	case "getMetaData":
		return r.meta(), nil
	}
	if r.current == nil {
		return nil, groovy.ErrNoMember
	}
	v, err := r.current.Call(t, id, args)
	r.null = v == nil
	return v, err
}

// row is a groovy.sql.GroovyRowResult. Names of columns are read in either
// case; row[0] is the first column.
type row struct {
	names []string
	vals  []groovy.Value
}

// Type names the class.
func (*row) Type() string { return "groovy.sql.GroovyRowResult" }

// String shows the row as a map.
func (w *row) String() string { return groovy.Format(w.fields()) }

// Truth says whether the row has columns.
func (w *row) Truth() bool { return len(w.vals) > 0 }

// Fields are the columns, for JSON.
func (w *row) Fields() map[string]groovy.Value {
	m := make(map[string]groovy.Value, len(w.names))
	for i, n := range w.names {
		m[n] = w.vals[i]
	}
	return m
}

func (w *row) fields() *groovy.Map {
	m := groovy.NewMap()
	for i, n := range w.names {
		m.Put(n, w.vals[i])
	}
	return m
}

func (w *row) index(name string) int {
	for i, n := range w.names {
		if n == name {
			return i
		}
	}
	for i, n := range w.names {
		if strings.EqualFold(n, name) {
			return i
		}
	}
	return -1
}

// Get reads a column.
func (w *row) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	if i := w.index(id); i >= 0 {
		return w.vals[i], nil
	}
	return nil, groovy.Throw("MissingPropertyException", "No such property: %s for class: groovy.sql.GroovyRowResult: the columns are %s", id, strings.Join(w.names, ", "))
}

// Set writes a column of the row, not of the database.
func (w *row) Set(_ *groovy.Thread, id string, v groovy.Value) error {
	i := w.index(id)
	if i < 0 {
		w.names, w.vals = append(w.names[:len(w.names):len(w.names)], id), append(w.vals, v)
		return nil
	}
	w.vals[i] = v
	return nil
}

// Call reads a column by name or number, else asks the row as a map.
func (w *row) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	if id == "getAt" && len(args) == 1 {
		if n, ok := args[0].(int64); ok {
			if n < 0 {
				n += int64(len(w.vals))
			}
			return w.at(n)
		}
		return w.Get(t, groovy.Format(args[0]))
	}
	switch id {
	case "toRowResult":
		return w, nil
	case "containsKey":
		return len(args) == 1 && w.index(groovy.Format(args[0])) >= 0, nil
	case "getObject", "getString", "getInt", "getLong", "getShort", "getDouble", "getFloat", "getBoolean", "getDate", "getTimestamp", "getBigDecimal", "getBytes":
		if len(args) != 1 {
			return nil, groovy.ErrNoMember
		}
		v, err := w.column(t, args[0])
		if err != nil {
			return nil, err
		}
		return as(t, v, id[3:])
	}
	return t.CallMethod(w.fields(), id, args)
}

func (w *row) at(n int64) (groovy.Value, error) {
	if n < 0 || n >= int64(len(w.vals)) {
		return nil, groovy.Throw("SQLException", "column %d is not there: the row has %d", n, len(w.vals))
	}
	return w.vals[n], nil
}

// column is a column by name, or by number from 1 as JDBC counts.
func (w *row) column(t *groovy.Thread, key groovy.Value) (groovy.Value, error) {
	if n, ok := key.(int64); ok {
		return w.at(n - 1)
	}
	return w.Get(t, groovy.Format(key))
}

// as converts a column as JDBC's getters do.
func as(t *groovy.Thread, v groovy.Value, typ string) (groovy.Value, error) {
	switch typ {
	case "String":
		if v == nil {
			return nil, nil
		}
		return t.CallMethod(v, "toString", nil)
	case "Boolean":
		return groovy.Truth(v) && v != "0" && v != "f" && v != "false", nil
	case "Int", "Long", "Short", "Double", "Float":
		if v == nil {
			return int64(0), nil
		}
		s, err := t.CallMethod(v, "toString", nil)
		if err != nil {
			return nil, err
		}
		return t.CallMethod(s, "to"+map[string]string{"Int": "Integer"}[typ]+map[bool]string{true: "", false: typ}[typ == "Int"], nil)
	}
	return v, nil
}
