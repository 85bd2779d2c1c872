package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"appliance/api/wire"
	"appliance/pool"
)

const v1 = "/api/v1"

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// anyone is the need of an endpoint that wants no token.
const anyone = pool.Role("")

// people registers what people and programs call.
func (s *Server) people(e *echo.Echo) huma.API {
	a := s.api(e)
	s.overviewRoutes(a)
	s.networkRoutes(a)
	s.bootRoutes(a)
	s.machineRoutes(a)
	s.hostRoutes(a)
	s.serviceRoutes(a)
	s.applicationRoutes(a)
	s.rolloutRoutes(a)
	s.operateRoutes(a)
	s.attributeRoutes(a)
	s.healingRoutes(a)
	s.catalogueRoutes(a)
	s.sessionRoutes(a)
	s.streamRoute(a)
	// Huma's own form of errors is never sent (see plain).
	for _, name := range []string{"ErrorModel", "ErrorDetail"} {
		delete(a.OpenAPI().Components.Schemas.Map(), name)
	}
	spec, err := a.OpenAPI().YAML()
	if err != nil {
		panic(err)
	}
	e.GET("/openapi.yaml", func(c echo.Context) error { return c.Blob(http.StatusOK, "application/openapi+yaml", spec) })
	e.GET("/healthz", func(c echo.Context) error {
		if _, err := s.Store.Schema(c.Request().Context()); err != nil {
			return err
		}
		return c.String(http.StatusOK, "ok\n")
	})
	e.GET("/metrics", s.metrics)
	return a
}

func (s *Server) api(e *echo.Echo) huma.API {
	conf := huma.DefaultConfig("Appliance", "1.0")
	conf.Info.Description = "Bare-metal provisioning and service orchestration. Lists may be null where they are empty. " +
		"Every error is a problem document (RFC 9457)."
	conf.OpenAPIPath, conf.DocsPath, conf.SchemasPath = "", "", ""
	conf.CreateHooks = nil // no $schema in answers
	conf.Transformers = []huma.Transformer{plain}
	conf.RejectUnknownQueryParameters = true
	conf.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer"},
		"session": {Type: "apiKey", In: "cookie", Name: cookieName},
	}
	return humaecho.New(e, conf)
}

// endpoint is one operation of the API.
type endpoint struct {
	method, path, id, summary, tag string
	need                           pool.Role
	code                           int // of success; 0: 200, or 204 without an answer
}

type answer[T any] struct{ Body T }

// nothing is an answer without a body, or a request without parameters.
type nothing struct{}

func (s *Server) operation(a huma.API, d endpoint) huma.Operation {
	problems := a.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[wire.Problem](), true, "")
	op := huma.Operation{
		Method: d.method, Path: v1 + d.path, OperationID: d.id, Summary: d.summary, Tags: []string{d.tag},
		DefaultStatus: d.code, BodyReadTimeout: -1, MaxBodyBytes: -1,
		Responses: map[string]*huma.Response{"default": {
			Description: "What is wrong",
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: problems}},
		}},
		Middlewares: huma.Middlewares{s.gate(d.need)},
	}
	if d.need != anyone {
		op.Description = "Takes role " + string(d.need) + "."
		op.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	}
	return op
}

// gate lets in who may.
func (s *Server) gate(need pool.Role) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := unwrap(ctx)
		c.Response().Header().Set("Cache-Control", "no-store")
		if need != anyone {
			by, err := s.authenticate(c.Request(), need)
			if err != nil {
				s.fail(err, c)
				return
			}
			ctx = huma.WithValue(ctx, callerKey{}, by)
		}
		if !streams(ctx.Operation()) {
			if err := readBody(c, smallBody); err != nil {
				s.fail(err, c)
				return
			}
		}
		next(ctx)
	}
}

// streams says whether an operation's handler reads the body itself.
func streams(op *huma.Operation) bool {
	return op.RequestBody != nil && op.RequestBody.Content["application/json"] == nil
}

// handle registers an endpoint that answers with a T.
func handle[I, T any](s *Server, a huma.API, d endpoint, f func(context.Context, *I) (T, error)) {
	huma.Register(a, s.operation(a, d), func(ctx context.Context, in *I) (*answer[T], error) {
		v, err := f(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, d, err)
		}
		return &answer[T]{v}, nil
	})
}

// do registers an endpoint that answers 204.
func do[I any](s *Server, a huma.API, d endpoint, f func(context.Context, *I) error) {
	huma.Register(a, s.operation(a, d), func(ctx context.Context, in *I) (*nothing, error) {
		if err := f(ctx, in); err != nil {
			return nil, s.problem(ctx, d, err)
		}
		return &nothing{}, nil
	})
}

func (s *Server) problem(ctx context.Context, d endpoint, err error) error {
	r, rerr := http.NewRequestWithContext(ctx, d.method, v1+d.path, nil)
	if rerr != nil {
		return rerr
	}
	return s.describe(r, err)
}

// unwrap returns Echo's context.
func unwrap(ctx huma.Context) echo.Context { return humaecho.Unwrap(ctx) }

// named is the input of endpoints that are about one thing.
type named struct {
	Name string `path:"name" maxLength:"128"`
}

// list makes an empty list of none, so that answers hold [] and not null.
func list[T any](v []T, err error) ([]T, error) {
	if err == nil && v == nil {
		v = []T{}
	}
	return v, err
}
