package sql

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

// patience is how long a connection may take to come about.
const patience = 20 * time.Second

// address is where a database is and who asks.
type address struct {
	url            string
	kind           string // mysql, postgresql
	host, port, db string
	socket         string
	user, password string
	options        url.Values
}

// shown is the address without what is secret.
func (a address) shown() string {
	where := net.JoinHostPort(a.host, a.port)
	if a.socket != "" {
		where = a.socket
	}
	return a.kind + " at " + where + " as " + strconv.Quote(a.user)
}

// addressOf reads the arguments of newInstance: (url), (url, driver), (url,
// user, password), (url, user, password, driver), (url, properties, driver),
// or one map.
func addressOf(t *groovy.Thread, args []groovy.Value) (address, error) {
	text := func(v groovy.Value) string {
		if v == nil {
			return ""
		}
		return groovy.Format(v)
	}
	var a address
	var user, password groovy.Value
	switch {
	case len(args) == 1 || len(args) == 2:
		a.url = text(args[0])
		if m, ok := args[0].(*groovy.Map); ok {
			get := func(k string) groovy.Value { v, _ := m.Get(k); return v }
			a.url, user, password = text(get("url")), get("user"), get("password")
		}
	case len(args) == 3 || len(args) == 4:
		a.url, user, password = text(args[0]), args[1], args[2]
		if m, ok := args[1].(*groovy.Map); ok {
			user, _ = m.Get("user")
			password, _ = m.Get("password")
		}
	default:
		return a, groovy.ErrNoMember
	}
	if err := a.parse(); err != nil {
		return a, err
	}
	if user != nil {
		a.user = text(user)
	}
	if password != nil {
		a.password = text(password)
	}
	return a, nil
}

// parse reads a JDBC URL.
func (a *address) parse() error {
	rest, ok := strings.CutPrefix(a.url, "jdbc:")
	kind, where, _ := strings.Cut(rest, ":")
	switch {
	case !ok:
		return groovy.Throw("SQLException", "%q is no JDBC URL: it looks like jdbc:mysql://host:3306/database", beforeQuery(a.url))
	case kind == "mysql", kind == "mariadb":
		a.kind, a.port = "mysql", "3306"
	case kind == "postgresql":
		a.kind, a.port = kind, "5432"
	default:
		return groovy.Throw("SQLException", "No suitable driver found for jdbc:%s: there are mysql, mariadb and postgresql", kind)
	}
	where, query, _ := strings.Cut(where, "?")
	var err error
	if a.options, err = url.ParseQuery(strings.ReplaceAll(query, ";", "%3B")); err != nil {
		return groovy.Throw("SQLException", "the parameters of the JDBC URL cannot be read") // they may hold a password
	}
	a.user, a.password = a.options.Get("user"), a.options.Get("password")
	a.host = "localhost"
	hostPart, isHost := strings.CutPrefix(where, "//")
	if !isHost { // jdbc:postgresql:database
		a.db = where
		return nil
	}
	hostPart, a.db, _ = strings.Cut(hostPart, "/")
	hostPart, _, _ = strings.Cut(hostPart, ",") // the first of several
	if h, p, err := net.SplitHostPort(hostPart); err == nil {
		hostPart, a.port = h, p
	}
	if hostPart != "" {
		a.host = strings.Trim(hostPart, "[]")
	}
	if n, err := strconv.Atoi(a.port); err != nil || n < 1 || n > 65535 {
		return groovy.Throw("SQLException", "the JDBC URL names port %q, which is none", a.port)
	}
	for _, id := range []string{"localSocket", "unixSocket", "socket"} {
		if s := a.options.Get(id); s != "" {
			a.socket = s
		}
	}
	return nil
}

func beforeQuery(s string) string {
	s, _, _ = strings.Cut(s, "?")
	return s
}

// secured says whether the URL asks for TLS. As with JDBC the certificate is
// looked at only where the URL says so.
func (a address) secured() (*tls.Config, bool) {
	verify := false
	on := false
	for _, id := range []string{"useSSL", "useSsl", "requireSSL", "ssl"} {
		on = on || a.options.Get(id) == "true"
	}
	switch strings.ToLower(strings.ReplaceAll(a.options.Get("sslMode")+a.options.Get("sslmode"), "_", "-")) {
	case "require", "required", "trust":
		on = true
	case "verify-ca", "verify-full", "verify-identity":
		on, verify = true, true
	}
	if !on {
		return nil, false
	}
	return &tls.Config{ServerName: a.host, InsecureSkipVerify: !verify, MinVersion: tls.VersionTLS12}, true //nolint:gosec // as the URL asks
}

// dial connects.
func (a address) dial(ctx context.Context) (session, error) {
	if a.kind == "mysql" {
		return a.mysql(ctx)
	}
	return a.postgres(ctx)
}
