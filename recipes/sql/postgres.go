package sql

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"appliance/recipes/groovy"
)

// pgSession is a connection to PostgreSQL. It speaks by pgx's lower half alone,
// all values as text: the other half would double what the agent grows by.
type pgSession struct{ conn *pgconn.PgConn }

func (a address) postgres(ctx context.Context) (session, error) {
	c, err := pgconn.ParseConfig("sslmode=disable")
	if err != nil {
		return nil, groovy.Throw("SQLException", "%s: %v", a.shown(), err)
	}
	port, err := strconv.ParseUint(a.port, 10, 16)
	if err != nil {
		return nil, groovy.Throw("SQLException", "%s: %v", a.shown(), err)
	}
	c.Host, c.Port = a.host, uint16(port)
	if a.socket != "" {
		c.Host = a.socket
	}
	c.User, c.Password, c.Database = a.user, a.password, a.db
	if c.Database == "" {
		c.Database = a.user
	}
	c.ConnectTimeout, c.Fallbacks = patience, nil
	c.RuntimeParams["datestyle"] = "ISO"
	if s := a.options.Get("currentSchema"); s != "" {
		c.RuntimeParams["search_path"] = s
	}
	if cfg, ok := a.secured(); ok {
		c.TLSConfig = cfg
	}
	conn, err := pgconn.ConnectConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	return &pgSession{conn}, nil
}

func (s *pgSession) query(ctx context.Context, text string, args []any, alloc func(int) error) (*table, error) {
	params, err := texts(args)
	if err != nil {
		return nil, err
	}
	r := s.conn.ExecParams(ctx, numbered(text), params, nil, nil, nil)
	t, err := read(r, alloc)
	_, cerr := r.Close()
	return t, first(err, plain(cerr))
}

// read reads the rows of a result.
func read(r *pgconn.ResultReader, alloc func(int) error) (*table, error) {
	t := &table{}
	for r.NextRow() {
		if t.names == nil {
			t.head(r)
		}
		row := make([]any, len(t.names))
		for i, b := range r.Values() {
			if b != nil {
				row[i] = pgValue(t.types[i], string(b))
			}
		}
		if err := alloc(size(row)); err != nil {
			return nil, err
		}
		t.rows = append(t.rows, row)
	}
	if t.names == nil {
		t.head(r)
	}
	return t, nil
}

func (t *table) head(r *pgconn.ResultReader) {
	for _, f := range r.FieldDescriptions() {
		t.names = append(t.names, f.Name)
		t.types = append(t.types, pgType(f.DataTypeOID))
	}
}

func (s *pgSession) exec(ctx context.Context, text string, args []any) (outcome, error) {
	if len(args) > 0 {
		params, err := texts(args)
		if err != nil {
			return outcome{}, err
		}
		r := s.conn.ExecParams(ctx, numbered(text), params, nil, nil, nil)
		rows := len(r.FieldDescriptions()) > 0
		tag, err := r.Close()
		return outcome{rows: rows, n: tag.RowsAffected()}, plain(err)
	}
	var o outcome
	m := s.conn.Exec(ctx, text)
	for first := true; m.NextResult(); first = false {
		r := m.ResultReader()
		rows := len(r.FieldDescriptions()) > 0
		tag, _ := r.Close() // m.Close has its error
		if o.n = tag.RowsAffected(); first {
			o.rows = rows
		}
	}
	return o, plain(m.Close())
}

func (s *pgSession) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // it only says farewell
	defer cancel()
	return s.conn.Close(ctx)
}

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// plain is an error of the server as it says it, with its hint.
func plain(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err
	}
	text := "ERROR: " + e.Message
	for _, more := range []string{e.Detail, e.Hint} {
		if more != "" {
			text += "; " + more
		}
	}
	return errors.New(text)
}

// texts are arguments as the server reads them.
func texts(args []any) ([][]byte, error) {
	list := make([][]byte, len(args))
	for i, v := range args {
		switch x := v.(type) {
		case nil:
		case string:
			if strings.IndexByte(x, 0) >= 0 {
				return nil, errors.New("a text holds a byte 0, which PostgreSQL does not store")
			}
			list[i] = []byte(x)
		case []byte:
			list[i] = []byte(`\x` + hex.EncodeToString(x))
		case time.Time:
			list[i] = []byte(x.Format("2006-01-02 15:04:05.999999999Z07:00"))
		default:
			list[i] = fmt.Append(nil, x)
		}
	}
	return list, nil
}

// pgType names the types that are more than text.
func pgType(oid uint32) string {
	switch oid {
	case 16:
		return "BOOL"
	case 17:
		return "BYTEA"
	case 20:
		return "INT8"
	case 21, 23, 26:
		return "INT4"
	case 700:
		return "FLOAT4"
	case 701:
		return "FLOAT8"
	case 1700:
		return "NUMERIC"
	case 1082:
		return "DATE"
	case 1114:
		return "TIMESTAMP"
	case 1184:
		return "TIMESTAMPTZ"
	}
	return "TEXT"
}

// pgValue is a value that came as text; one that does not parse stays text.
func pgValue(typ, s string) any {
	switch typ {
	case "BOOL":
		return s == "t"
	case "INT8", "INT4":
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
	case "FLOAT4", "FLOAT8":
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	case "DATE", "TIMESTAMP":
		for _, layout := range []string{"2006-01-02", "2006-01-02 15:04:05.999999999"} {
			if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
				return t
			}
		}
	case "TIMESTAMPTZ":
		for _, layout := range []string{"2006-01-02 15:04:05.999999999-07", "2006-01-02 15:04:05.999999999-07:00"} {
			if t, err := time.Parse(layout, s); err == nil {
				return t.Local()
			}
		}
	case "BYTEA":
		if b, err := hex.DecodeString(strings.TrimPrefix(s, `\x`)); err == nil {
			return b
		}
	}
	return s
}
