package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"appliance/api/wire"
	"appliance/pool"
)

// Paths knows how each model boots.
type Paths interface {
	Models() []pool.BootModel
	Of(mac pool.MAC) (model, class string, path pool.BootPath, ok bool)
	Times(mac pool.MAC) map[pool.BootStage]pool.StageTime
	Pin(model, class string, path pool.BootPath) error
	Import(models []pool.BootModel) error
}

// bootRoutes registers what is about the booting of models.
func (s *Server) bootRoutes(a huma.API) {
	const tag = "boot"
	handle(s, a, endpoint{http.MethodGet, "/boot/paths", "bootPaths", "How each model boots, as far as it was learned", tag, pool.Viewer, 0},
		func(context.Context, *nothing) (wire.BootPaths, error) { return s.bootPaths(nil) })
	handle(s, a, endpoint{http.MethodPost, "/boot/paths/pin", "pinBootPath", "Make a model boot one way, or take that back", tag, pool.Operator, 0},
		func(_ context.Context, in *struct{ Body wire.PinPath }) (wire.BootPaths, error) {
			return s.bootPaths(func() error { return s.Paths.Pin(in.Body.Model, in.Body.Class, in.Body.Path) })
		})
	handle(s, a, endpoint{http.MethodPost, "/boot/paths", "importBootPaths", "Take over what another appliance learned", tag, pool.Operator, 0},
		func(_ context.Context, in *struct{ Body wire.BootPaths }) (wire.BootPaths, error) {
			return s.bootPaths(func() error { return s.Paths.Import(in.Body.Models) })
		})
}

// bootPaths answers with all models after change, if that is not nil.
func (s *Server) bootPaths(change func() error) (wire.BootPaths, error) {
	if s.Paths == nil {
		return wire.BootPaths{}, fmt.Errorf("%w: this appliance does not netboot machines", pool.ErrUnavailable)
	}
	if change != nil {
		if err := change(); err != nil {
			return wire.BootPaths{}, err
		}
	}
	return wire.BootPaths{Models: s.Paths.Models()}, nil
}

// bootShow is a machine's boots with what the last one's silence means.
func (s *Server) bootShow(m pool.Machine, boots []pool.Boot) wire.BootShow {
	show := wire.BootShow{Machine: m.ID, Boots: boots}
	var mac pool.MAC
	if len(boots) > 0 {
		if e := boots[len(boots)-1].Events; len(e) > 0 {
			mac = e[len(e)-1].MAC
		}
	}
	if s.Paths != nil && !mac.IsZero() {
		show.Times = s.Paths.Times(mac)
		if model, class, path, ok := s.Paths.Of(mac); ok {
			show.Path = &wire.BootChoice{Model: model, Class: class, Path: path}
		}
	}
	if len(boots) > 0 {
		if d, silent := pool.Explain(boots[len(boots)-1], time.Now(), show.Times); silent {
			show.Diagnosis, show.Silent = &d, d.Sentence()
		}
	}
	return show
}

// metrics answers GET /metrics in Prometheus' text form, for who may look.
func (s *Server) metrics(c echo.Context) error {
	if _, err := s.authenticate(c.Request(), pool.Viewer); err != nil {
		return err
	}
	if s.Metrics == nil {
		return fmt.Errorf("%w: metrics", pool.ErrNotFound)
	}
	s.Metrics.ServeHTTP(c.Response(), c.Request())
	return nil
}
