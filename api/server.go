package api

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"appliance/pool"
)

// Server answers HTTPS. Set the fields before Handler or Serve.
type Server struct {
	Store  Store
	Engine Engine
	Agents Agents
	// Images keeps disk images; nil: there are none.
	Images Images
	// Differences compares the archives of two recipes. Nil compares none.
	Differences func(old, now []byte) ([]pool.Difference, error)
	// CheckRecipe loads an uploaded archive (tar.gz) and says what it is; of an
	// application the services follow, packed each by itself.
	// Errors wrap pool.ErrInvalid. Nil: no uploads.
	CheckRecipe func(ctx context.Context, archive []byte) ([]pool.PackedRecipe, error)
	// CA issues the agents' certificates.
	CA *CA
	// URL is where the agents that it puts on hosts reach this server: https://10.77.0.1:8443.
	URL string
	// Console holds the web console's files, Packages the package repository; nil: none.
	Console, Packages fs.FS
	// Feed carries boot events and lines of output to the event stream; nil: none.
	Feed *Feed
	// Paths knows how each model boots; nil: this appliance netboots nothing.
	Paths Paths
	// Metrics answers GET /metrics, for who may look; nil: there are none.
	Metrics http.Handler

	// What is only shown.
	Version   string
	Kit       string // kernel of the boot kit, or why there is none
	Interface string
	Network   Network // nil: no network is served
	Started   time.Time

	Log *slog.Logger // nil is silent

	guess guesses
}

// Bounds of time and size. Long answers (streams, images) lift the time for
// themselves.
const (
	headerTime = 10 * time.Second
	bodyTime   = 30 * time.Second
	idleTime   = 2 * time.Minute
	drainTime  = 5 * time.Second

	smallBody  = 1 << 20
	helloBody  = 512 << 10 // anybody's: a thousand disks and their content fit
	resultBody = 16 << 20
	recipeBody = 100 << 20
)

// Handler returns the whole API as one handler. It panics when an endpoint is
// declared wrongly, which a test would have seen.
func (s *Server) Handler() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.fail
	e.Use(s.recovered, headers)
	s.people(e)
	s.agentRoutes(e)
	s.files(e)
	return e
}

// Serve answers connections of l, which it closes, until ctx ends; then open
// requests end and it returns nil. TLS uses the CA's server certificate.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.log().Handler(), slog.LevelDebug),
	}
	// Streams and long polls end because their context does.
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		if srv.Shutdown(late) != nil {
			_ = srv.Close()
		}
	})
	if s.CA != nil {
		conf := s.CA.TLS()
		conf.NextProtos = []string{"h2", "http/1.1"}
		srv.TLSConfig = conf
		l = tls.NewListener(l, conf)
	}
	err := srv.Serve(l)
	if !stop() {
		<-done // Serve returns when Shutdown begins, not when it has ended
	}
	if errors.Is(err, http.ErrServerClosed) && ctx.Err() != nil {
		return nil
	}
	return err
}

func (s *Server) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// headers sets what every answer carries. The policy fits a console whose
// scripts and styles are files of its own.
func headers(next echo.HandlerFunc) echo.HandlerFunc {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Strict-Transport-Security", "max-age=31536000")
		return next(c)
	}
}
