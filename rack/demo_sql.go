package rack

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/go-sql-driver/mysql"

	"appliance/pool"
)

// loginSQL says as whom the database is asked; the recipe keeps it in
// attributes of the service.
type loginSQL struct{ user, password, database string }

func loginOf(ctx context.Context, api demoAPI) (loginSQL, error) {
	l := loginSQL{user: "root"}
	for name, into := range map[string]*string{"user": &l.user, "password": &l.password, "database": &l.database} {
		v, err := api.Attribute(ctx, serviceName, name)
		if errors.Is(err, pool.ErrNotFound) {
			continue
		}
		if err != nil {
			return l, fmt.Errorf("read attribute %s: %w", name, err)
		}
		if err := json.Unmarshal(v.Value, into); err != nil {
			return l, fmt.Errorf("read attribute %s: it is no text", name)
		}
	}
	return l, nil
}

// answerSQL is what the database said.
type answerSQL struct {
	version string
	row     string // written and read back
}

// askDatabase connects to endpoint (host:port) over the rack's network, asks
// for the version, and writes a row and reads it back.
func askDatabase(ctx context.Context, endpoint string, login loginSQL) (a answerSQL, err error) {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.DBName = "tcp", endpoint, login.user, login.password, login.database
	c.Timeout, c.ReadTimeout, c.WriteTimeout = 10*time.Second, 30*time.Second, 30*time.Second
	c.Logger = log.New(io.Discard, "", 0)
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return a, err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&a.version); err != nil {
		return a, fmt.Errorf("select version: %w", err)
	}
	table := "rack_demo"
	if login.database == "" {
		if _, err := db.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS rack_demo"); err != nil {
			return a, fmt.Errorf("create database: %w", err)
		}
		table = "rack_demo.answers"
	}
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+table+" (id INT AUTO_INCREMENT PRIMARY KEY, said VARCHAR(80))"); err != nil {
		return a, fmt.Errorf("create table: %w", err)
	}
	wrote := "from bare metal, " + rand.Text()
	res, err := db.ExecContext(ctx, "INSERT INTO "+table+" (said) VALUES (?)", wrote)
	if err != nil {
		return a, fmt.Errorf("write row: %w", err)
	}
	id, err := res.LastInsertId()
	if err != nil {
		return a, fmt.Errorf("write row: %w", err)
	}
	if err := db.QueryRowContext(ctx, "SELECT said FROM "+table+" WHERE id = ?", id).Scan(&a.row); err != nil {
		return a, fmt.Errorf("read row: %w", err)
	}
	if a.row != wrote {
		return a, fmt.Errorf("read row: wrote %q, read %q", wrote, a.row)
	}
	return a, nil
}
