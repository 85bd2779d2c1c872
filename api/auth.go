package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"appliance/pool"
)

// cookieName is the console's session. The prefix makes browsers refuse it
// without Secure, without Path=/ and with a Domain.
const cookieName = "__Host-session"

// sessionMark begins the names of the tokens that are browsers' sessions:
// session/TOKEN/ID. They end when TOKEN does.
const sessionMark = "session/"

// caller is who makes a request.
type caller struct {
	pool.APIToken
	session bool
}

// person is the name that events carry: the token's, also for its sessions.
func (c caller) person() string {
	name, ok := strings.CutPrefix(c.Name, sessionMark)
	if !ok {
		return c.Name
	}
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		return name[:i]
	}
	return name
}

type callerKey struct{}

// who returns the caller that authenticate found.
func who(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// rank orders roles; 0 is none.
func rank(r pool.Role) int {
	switch r {
	case pool.Viewer:
		return 1
	case pool.Operator:
		return 2
	case pool.Admin:
		return 3
	}
	return 0
}

func hashToken(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// authenticate returns who makes the request, or a 401, 403 or 429.
func (s *Server) authenticate(r *http.Request, need pool.Role) (caller, error) {
	text, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		cookie, err := r.Cookie(cookieName)
		if err != nil || cookie.Value == "" {
			return caller{}, refuse(http.StatusUnauthorized, "an API token is needed")
		}
		text = cookie.Value
		// A browser sends the cookie by itself; where the request comes from another site it is not its user's.
		if err := new(http.CrossOriginProtection).Check(r); err != nil {
			return caller{}, refuse(http.StatusForbidden, "the request comes from another site")
		}
	}
	t, err := s.token(r, strings.TrimSpace(text))
	if err != nil {
		return caller{}, err
	}
	if bearer == strings.HasPrefix(t.Name, sessionMark) {
		return caller{}, refuse(http.StatusUnauthorized, "the API token is not valid")
	}
	if rank(t.Role) < rank(need) {
		return caller{}, refuse(http.StatusForbidden, "role %s may not do this: it takes %s", t.Role, need)
	}
	return caller{APIToken: t, session: !bearer}, nil
}

// token looks a token up by its hash. Whoever shows wrong ones too often is
// answered 429 without a look.
func (s *Server) token(r *http.Request, text string) (pool.APIToken, error) {
	from := remoteHost(r)
	if wait := s.guess.wait(from, time.Now()); wait > 0 {
		return pool.APIToken{}, &status{code: http.StatusTooManyRequests, retry: seconds(wait),
			err: errors.New("too many wrong tokens from " + from + ": try again in " + wait.Round(time.Second).String())}
	}
	t, err := s.Store.TokenByHash(r.Context(), hashToken(text))
	if err != nil && !errors.Is(err, pool.ErrNotFound) {
		return pool.APIToken{}, err
	}
	now := time.Now()
	if err != nil || !t.Expires.IsZero() && now.After(t.Expires) {
		s.guess.wrong(from, now)
		s.log().WarnContext(r.Context(), "token refused", "ip", from, "path", r.URL.Path)
		return pool.APIToken{}, refuse(http.StatusUnauthorized, "the API token is not valid")
	}
	s.used(r.Context(), t, now)
	return t, nil
}

// used notes once an hour that a token is in use.
func (s *Server) used(ctx context.Context, t pool.APIToken, now time.Time) {
	if now.Sub(t.Used) < time.Hour {
		return
	}
	t.Used = now.UTC()
	if err := s.Store.UsedToken(ctx, t); err != nil {
		s.log().WarnContext(ctx, "note use of token", "err", err)
	}
}

func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func seconds(d time.Duration) string { return itoa(int64(d/time.Second) + 1) }

// guesses limits wrong tokens: ten at once from one address, then one in six
// seconds. It keeps at most maxGuessers addresses. The zero value is ready.
type guesses struct {
	mu   sync.Mutex
	from map[string]*rate.Limiter
}

const (
	guessBurst  = 10
	guessEvery  = 6 * time.Second
	maxGuessers = 4096
)

// wait says how long an address has to wait before it may try again.
func (g *guesses) wait(from string, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.from[from]
	if l == nil {
		return 0
	}
	if t := l.TokensAt(now); t < 1 {
		return time.Duration((1 - t) * float64(guessEvery))
	}
	return 0
}

func (g *guesses) wrong(from string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.from == nil {
		g.from = map[string]*rate.Limiter{}
	}
	if len(g.from) >= maxGuessers {
		for k, l := range g.from {
			if l.TokensAt(now) >= guessBurst {
				delete(g.from, k)
			}
		}
		if len(g.from) >= maxGuessers {
			clear(g.from)
		}
	}
	l := g.from[from]
	if l == nil {
		l = rate.NewLimiter(rate.Every(guessEvery), guessBurst)
		g.from[from] = l
	}
	l.AllowN(now, 1)
}
