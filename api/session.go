package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"appliance/api/wire"
	"appliance/pool"
)

// sessionLife is how long a browser stays logged in.
const sessionLife = 12 * time.Hour

// firstToken names the token that EnsureAdmin makes.
const firstToken = "admin"

// EnsureAdmin makes the first admin token when there is no valid one. Keep is
// given its text, the only time that it is told, before the token counts: an
// appliance that dies in between makes another one at its next start, and
// nobody is locked out. Fresh says whether it made one.
func (s *Server) EnsureAdmin(ctx context.Context, keep func(token string) error) (fresh bool, err error) {
	all, err := s.Store.Tokens(ctx)
	if err != nil {
		return false, fmt.Errorf("look for an admin token: %w", err)
	}
	now := time.Now()
	for _, t := range all {
		if t.Role == pool.Admin && !strings.HasPrefix(t.Name, sessionMark) && (t.Expires.IsZero() || now.Before(t.Expires)) {
			return false, nil
		}
	}
	text := pool.NewToken()
	if err := keep(text); err != nil {
		return false, err
	}
	t := pool.APIToken{Name: firstToken, Role: pool.Admin, Hash: hashToken(text), Created: now.UTC()}
	if err := s.Store.PutToken(ctx, t); err != nil {
		return false, fmt.Errorf("store the first admin token: %w", err)
	}
	return true, nil
}

type loginInput struct {
	Body wire.LoginRequest
	from *http.Request
}

// Resolve keeps the request: failed logins are counted by address.
func (in *loginInput) Resolve(ctx huma.Context) []error {
	in.from = unwrap(ctx).Request()
	return nil
}

type cookieAnswer struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      wire.Session
}

func (s *Server) sessionRoutes(a huma.API) {
	const tag = "Session"
	login := endpoint{http.MethodPost, "/session", "login", "Start a browser's session", tag, anyone, http.StatusOK}
	huma.Register(a, s.operation(a, login), func(ctx context.Context, in *loginInput) (*cookieAnswer, error) {
		ans, err := s.login(in.from, in.Body.Token)
		if err != nil {
			return nil, s.problem(ctx, login, err)
		}
		return ans, nil
	})
	handle(s, a, endpoint{http.MethodGet, "/session", "session", "Who calls", tag, pool.Viewer, 0},
		func(ctx context.Context, _ *nothing) (wire.Session, error) {
			c := who(ctx)
			return wire.Session{Name: c.person(), Role: c.Role, Expires: c.Expires}, nil
		})
	logout := endpoint{http.MethodDelete, "/session", "logout", "End the browser's session", tag, pool.Viewer, http.StatusOK}
	huma.Register(a, s.operation(a, logout), func(ctx context.Context, _ *nothing) (*cookieAnswer, error) {
		c := who(ctx)
		if c.session {
			if err := s.Store.DeleteToken(ctx, c.Name); err != nil && !errors.Is(err, pool.ErrNotFound) {
				return nil, s.problem(ctx, logout, err)
			}
		}
		return &cookieAnswer{SetCookie: cookie("", -1), Body: wire.Session{Name: c.person(), Role: c.Role}}, nil
	})
	s.tokenRoutes(a)
}

func cookie(value string, age int) http.Cookie {
	return http.Cookie{Name: cookieName, Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: true, SameSite: http.SameSiteStrictMode}
}

// login makes a session of a token: a token of its own, so that the cookie is
// worth nothing outside the browser.
func (s *Server) login(r *http.Request, text string) (*cookieAnswer, error) {
	if err := new(http.CrossOriginProtection).Check(r); err != nil {
		return nil, refuse(http.StatusForbidden, "the request comes from another site")
	}
	t, err := s.token(r, strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(t.Name, sessionMark) {
		return nil, refuse(http.StatusUnauthorized, "the API token is not valid")
	}
	now := time.Now().UTC()
	if err := s.pruneSessions(r.Context(), now); err != nil {
		return nil, err
	}
	secret := pool.NewToken()
	sess := pool.APIToken{Name: sessionMark + t.Name + "/" + pool.NewID("s"), Role: t.Role, Hash: hashToken(secret),
		Created: now, Used: now, Expires: now.Add(sessionLife)}
	if !t.Expires.IsZero() {
		sess.Expires = earlier(sess.Expires, t.Expires)
	}
	if err := s.Store.PutToken(r.Context(), sess); err != nil {
		return nil, err
	}
	return &cookieAnswer{
		SetCookie: cookie(secret, int(sess.Expires.Sub(now).Seconds())),
		Body:      wire.Session{Name: t.Name, Role: t.Role, Expires: sess.Expires},
	}, nil
}

// pruneSessions deletes sessions that are over.
func (s *Server) pruneSessions(ctx context.Context, now time.Time) error {
	all, err := s.Store.Tokens(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if strings.HasPrefix(t.Name, sessionMark) && now.After(t.Expires) {
			if err := s.Store.DeleteToken(ctx, t.Name); err != nil && !errors.Is(err, pool.ErrNotFound) {
				return err
			}
		}
	}
	return nil
}

func (s *Server) tokenRoutes(a huma.API) {
	const tag = "Session"
	handle(s, a, endpoint{http.MethodGet, "/tokens", "tokens", "List API tokens", tag, pool.Admin, 0},
		func(ctx context.Context, _ *nothing) ([]pool.APIToken, error) {
			all, err := s.Store.Tokens(ctx)
			out := []pool.APIToken{}
			for _, t := range all {
				if !strings.HasPrefix(t.Name, sessionMark) {
					out = append(out, t)
				}
			}
			return out, err
		})
	handle(s, a, endpoint{http.MethodPost, "/tokens", "createToken", "Make an API token; its text is told this once", tag, pool.Admin, http.StatusCreated},
		func(ctx context.Context, in *struct{ Body wire.TokenRequest }) (wire.Token, error) {
			return s.createToken(ctx, in.Body)
		})
	do(s, a, endpoint{http.MethodDelete, "/tokens/{name}", "deleteToken", "Revoke an API token and its sessions", tag, pool.Admin, 0},
		func(ctx context.Context, in *named) error { return s.deleteToken(ctx, in.Name) })
}

func (s *Server) createToken(ctx context.Context, r wire.TokenRequest) (wire.Token, error) {
	now := time.Now().UTC()
	if !r.Expires.IsZero() && !r.Expires.After(now) {
		return wire.Token{}, fmt.Errorf("%w: token %s: expires in the past", pool.ErrInvalid, r.Name)
	}
	all, err := s.Store.Tokens(ctx)
	if err != nil {
		return wire.Token{}, err
	}
	for _, t := range all {
		if t.Name == r.Name {
			return wire.Token{}, fmt.Errorf("%w: token %s exists", pool.ErrConflict, r.Name)
		}
	}
	text := pool.NewToken()
	t := pool.APIToken{Name: r.Name, Role: r.Role, Hash: hashToken(text), Created: now, Expires: r.Expires.UTC()}
	if err := s.Store.PutToken(ctx, t); err != nil {
		return wire.Token{}, err
	}
	return wire.Token{Name: t.Name, Role: string(t.Role), Token: text, Expires: t.Expires},
		s.record(ctx, pool.Event{Type: "token.created", Message: fmt.Sprintf("Token %s with role %s was made.", t.Name, t.Role)})
}

// deleteToken refuses the last valid admin token: nobody could log in again.
func (s *Server) deleteToken(ctx context.Context, name string) error {
	all, err := s.Store.Tokens(ctx)
	if err != nil {
		return err
	}
	admins, found := 0, false
	for _, t := range all {
		if t.Name == name && !strings.HasPrefix(name, sessionMark) {
			found = true
		} else if t.Role == pool.Admin && !strings.HasPrefix(t.Name, sessionMark) && (t.Expires.IsZero() || time.Now().Before(t.Expires)) {
			admins++
		}
	}
	if !found {
		return fmt.Errorf("%w: token %s", pool.ErrNotFound, name)
	}
	if admins == 0 {
		return fmt.Errorf("%w: token %s is the last one of an admin", pool.ErrConflict, name)
	}
	for _, t := range all {
		if t.Name == name || strings.HasPrefix(t.Name, sessionMark+name+"/") {
			if err := s.Store.DeleteToken(ctx, t.Name); err != nil && !errors.Is(err, pool.ErrNotFound) {
				return err
			}
		}
	}
	return s.record(ctx, pool.Event{Type: "token.deleted", Message: fmt.Sprintf("Token %s was revoked.", name)})
}

// record writes an event of what the API itself did.
func (s *Server) record(ctx context.Context, e pool.Event) error {
	return s.recordWith(ctx, e, &pool.Change{})
}

// recordWith records an event in the transaction that makes it true.
func (s *Server) recordWith(ctx context.Context, e pool.Event, c *pool.Change) error {
	e.At, e.By = time.Now().UTC(), who(ctx).person()
	if e.Severity == "" {
		e.Severity = pool.Info
	}
	c.Events = append(c.Events, &e)
	return s.Store.Apply(ctx, c)
}
