package sql

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"appliance/recipes/groovy"
)

// mysqlSession is a connection to MySQL or MariaDB.
type mysqlSession struct {
	db   *sql.DB
	conn *sql.Conn
}

func (a address) mysql(ctx context.Context) (session, error) {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.DBName = a.user, a.password, a.db
	c.Net, c.Addr = "tcp", net.JoinHostPort(a.host, a.port)
	if a.socket != "" {
		c.Net, c.Addr = "unix", a.socket
	}
	c.ParseTime, c.Loc, c.Timeout = true, time.Local, patience
	c.MultiStatements = a.options.Get("allowMultiQueries") == "true"
	c.ClientFoundRows = true // as JDBC counts: rows found, not only those changed
	c.Logger = &mysql.NopLogger{}
	if cfg, ok := a.secured(); ok {
		c.TLS = cfg
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, groovy.Throw("SQLException", "%s: %v", a.shown(), err)
	}
	s := &mysqlSession{db: sql.OpenDB(connector)}
	if s.conn, err = s.db.Conn(ctx); err == nil {
		err = s.conn.PingContext(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *mysqlSession) query(ctx context.Context, text string, args []any, alloc func(int) error) (t *table, err error) {
	rows, err := s.conn.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	cols, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	t = &table{}
	for _, c := range cols {
		t.names = append(t.names, c.Name())
		t.types = append(t.types, strings.ToUpper(c.DatabaseTypeName()))
	}
	ptrs := make([]any, len(cols))
	for rows.Next() {
		row := make([]any, len(cols))
		for i := range row {
			ptrs[i] = &row[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			return nil, err
		}
		if err := alloc(size(row)); err != nil {
			return nil, err
		}
		t.rows = append(t.rows, row)
	}
	return t, rows.Err()
}

func (s *mysqlSession) exec(ctx context.Context, text string, args []any) (outcome, error) {
	if gives(text) {
		_, err := s.query(ctx, text, args, func(int) error { return nil })
		return outcome{rows: true, n: -1}, err
	}
	res, err := s.conn.ExecContext(ctx, text, args...)
	if err != nil {
		return outcome{}, err
	}
	n, err1 := res.RowsAffected()
	key, err2 := res.LastInsertId()
	return outcome{n: n, key: key}, errors.Join(err1, err2)
}

func (s *mysqlSession) close() error {
	var err error
	if s.conn != nil {
		err = s.conn.Close()
	}
	return errors.Join(err, s.db.Close())
}

// gives says whether a statement gives rows.
func gives(text string) bool {
	word := strings.ToLower(strings.TrimLeft(text, " \t\r\n("))
	if i := strings.IndexAny(word, " \t\r\n("); i >= 0 {
		word = word[:i]
	}
	switch word {
	case "select", "show", "describe", "desc", "explain", "values", "table", "with", "check", "analyze", "optimize", "repair":
		return true
	}
	return strings.Contains(strings.ToLower(text), " returning ")
}
