package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"appliance/api/wire"
	"appliance/pool"
)

type attributeList struct {
	Scope string `query:"scope" maxLength:"200" doc:"global, application:APP, service:NAME, instance:ID or instance:NAME/NUMBER; none: all"`
}

// AttributeOne names an attribute; exported because huma reads no embedded fields of others.
type AttributeOne struct {
	Name  string `path:"name" maxLength:"200"`
	Scope string `query:"scope" required:"true" maxLength:"200"`
}

type attributePut struct {
	AttributeOne
	Body wire.AttributeRequest
}

type attributeDelete struct {
	AttributeOne
	Rev int64 `query:"rev" minimum:"0" doc:"remove it only if it is still at this revision; 0: whatever it is"`
}

// attributeRoutes are attributes as people and programs see them, in all four scopes.
func (s *Server) attributeRoutes(a huma.API) {
	const tag = "Attributes"
	handle(s, a, endpoint{http.MethodGet, "/attributes", "attributes", "List attributes; secret ones without value", tag, pool.Viewer, 0},
		func(ctx context.Context, in *attributeList) ([]pool.Attribute, error) {
			return s.listAttributes(ctx, in.Scope)
		})
	handle(s, a, endpoint{http.MethodGet, "/attributes/{name}", "getAttribute", "One attribute with its value; that a secret one was shown is recorded", tag, pool.Operator, 0},
		func(ctx context.Context, in *AttributeOne) (wire.AttributeValue, error) {
			scope, service, err := s.personScope(ctx, in.Scope)
			if err != nil {
				return wire.AttributeValue{}, err
			}
			return s.revealIn(ctx, scope, service, in.Name)
		})
	handle(s, a, endpoint{http.MethodPut, "/attributes/{name}", "setAttribute", "Set an attribute; with rev only if it is still at that revision (compare-and-set)", tag, pool.Operator, 0},
		func(ctx context.Context, in *attributePut) (pool.Attribute, error) {
			scope, service, err := s.personScope(ctx, in.Scope)
			if err != nil {
				return pool.Attribute{}, err
			}
			at := pool.Attribute{Scope: scope, Name: in.Name, Value: string(in.Body.Value), Secret: in.Body.Secret, By: who(ctx).person()}
			if in.Body.Rev != nil {
				if at.Rev = *in.Body.Rev; at.Rev == 0 {
					at.Rev = pool.AttributeNew
				}
			}
			return s.setAttribute(ctx, at, service)
		})
	do(s, a, endpoint{http.MethodDelete, "/attributes/{name}", "removeAttribute", "Remove an attribute", tag, pool.Operator, 0},
		func(ctx context.Context, in *attributeDelete) error {
			scope, service, err := s.personScope(ctx, in.Scope)
			if err != nil {
				return err
			}
			return s.removeAttribute(ctx, scope, service, in.Name, in.Rev, who(ctx).person())
		})
}

func (s *Server) listAttributes(ctx context.Context, scope string) ([]pool.Attribute, error) {
	if scope != "" {
		var err error
		if scope, _, err = s.personScope(ctx, scope); err != nil {
			return nil, err
		}
	}
	all, err := s.Store.Attributes(ctx, scope)
	out := make([]pool.Attribute, 0, len(all))
	for _, at := range all {
		if at.Secret {
			at.Value = ""
		}
		out = append(out, at)
	}
	return out, err
}

// personScope returns the stored name of a scope, and the service it belongs
// to. Errors wrap ErrInvalid, or ErrNotFound for a service or instance that is
// not there. "service:NAME:NUMBER" is the original's form of an instance.
func (s *Server) personScope(ctx context.Context, scope string) (stored, service string, err error) {
	if err := wire.CheckText("scope", scope, 200); err != nil {
		return "", "", err
	}
	kind, name, _ := strings.Cut(scope, ":")
	if before, number, ok := strings.Cut(name, ":"); kind == "service" && ok {
		kind, name = "instance", before+"/"+number
	}
	switch {
	case scope == "global":
		return scope, "", nil
	case kind == "application" && name != "":
		return scope, "", nil
	case kind == "service" && name != "":
		svc, err := s.Store.Service(ctx, name)
		if err == nil && svc.Phase == pool.ServiceRemoved {
			err = fmt.Errorf("%w: service %s was removed", pool.ErrNotFound, name)
		}
		return scope, name, err
	case kind == "instance" && name != "":
		in, err := s.instanceNamed(ctx, name)
		return "instance:" + in.ID, in.Service, err
	}
	return "", "", fmt.Errorf("%w: scope %.80q: want global, application:APP, service:NAME, instance:ID or instance:NAME/NUMBER", pool.ErrInvalid, scope)
}

// instanceNamed finds an instance by its ID or as SERVICE/NUMBER.
func (s *Server) instanceNamed(ctx context.Context, name string) (pool.Instance, error) {
	service, text, ok := strings.Cut(name, "/")
	if !ok {
		return s.Store.Instance(ctx, name)
	}
	all, err := s.Store.Instances(ctx, service)
	if err != nil {
		return pool.Instance{}, err
	}
	for _, in := range all {
		if strconv.Itoa(in.Number) == text && in.Phase != pool.InstanceRemoved {
			return in, nil
		}
	}
	return pool.Instance{}, fmt.Errorf("%w: service %s has no instance %.20s", pool.ErrNotFound, service, text)
}

// setAttribute checks and stores an attribute, and tells of it without its value.
func (s *Server) setAttribute(ctx context.Context, at pool.Attribute, service string) (pool.Attribute, error) {
	if err := wire.CheckText("name", at.Name, 200); err != nil {
		return at, err
	}
	switch {
	case at.Name == "":
		return at, fmt.Errorf("%w: attribute has no name", pool.ErrInvalid)
	case len(at.Value) > maxAttribute:
		return at, fmt.Errorf("%w: attribute %s: %d bytes, %d at most", pool.ErrInvalid, at.Name, len(at.Value), maxAttribute)
	case !json.Valid([]byte(at.Value)):
		return at, fmt.Errorf("%w: attribute %s: its value is no JSON", pool.ErrInvalid, at.Name)
	}
	at.At = time.Now().UTC()
	kind := "attribute"
	if at.Secret {
		kind = "secret attribute"
	}
	return s.Store.SetAttribute(ctx, at, attributeEvent("attribute.set", at.Scope, service, at.Name, at.By,
		fmt.Sprintf("%s set %s %s of %s.", at.By, kind, at.Name, at.Scope)))
}

func (s *Server) removeAttribute(ctx context.Context, scope, service, name string, rev int64, by string) error {
	what := "attribute " + name
	if name == "" {
		what = "all attributes"
	}
	return s.Store.RemoveAttribute(ctx, scope, name, rev, attributeEvent("attribute.removed", scope, service, name, by,
		fmt.Sprintf("%s removed %s of %s.", by, what, scope)))
}

func attributeEvent(kind, scope, service, name, by, message string) *pool.Event {
	e := &pool.Event{At: time.Now().UTC(), Type: kind, Severity: pool.Info, Service: service, By: by, Scope: scope, Attribute: name, Message: message}
	if id, ok := strings.CutPrefix(scope, "instance:"); ok {
		e.Instance = id
	}
	return e
}

// revealIn returns an attribute's value. That a secret was shown is recorded
// before it is.
func (s *Server) revealIn(ctx context.Context, scope, service, name string) (wire.AttributeValue, error) {
	at, err := s.Store.Attribute(ctx, scope, name)
	if err != nil {
		return wire.AttributeValue{}, err
	}
	if at.Secret {
		err := s.record(ctx, pool.Event{Type: "attribute.revealed", Severity: pool.Warning, Service: service, Scope: scope, Attribute: name,
			Message: fmt.Sprintf("Secret attribute %s of %s was shown.", name, strings.Replace(scope, ":", " ", 1))})
		if err != nil {
			return wire.AttributeValue{}, err
		}
	}
	return s.value(ctx, at)
}

// value returns an attribute with its value, unsealed where it is secret.
func (s *Server) value(ctx context.Context, at pool.Attribute) (wire.AttributeValue, error) {
	text := at.Value
	if at.Secret {
		secret, err := s.Store.Secret(ctx, attrSecret(at.Scope, at.Name))
		if err != nil {
			return wire.AttributeValue{}, err
		}
		text = secret.Reveal()
	}
	if !json.Valid([]byte(text)) {
		return wire.AttributeValue{}, fmt.Errorf("attribute %s %s holds no JSON", at.Scope, at.Name)
	}
	return wire.AttributeValue{Scope: at.Scope, Name: at.Name, Value: json.RawMessage(text), Secret: at.Secret, Rev: at.Rev, At: at.At, By: at.By}, nil
}

func attrSecret(scope, name string) string { return "attr/" + scope + "/" + name }

// masked takes the values of secret attributes out of what an agent tells: the
// end of a service's own log has passed no recipe's masking. What is short
// enough to be a common word stays.
func (s *Server) masked(ctx context.Context, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	all, err := s.Store.Attributes(ctx, "")
	if err != nil {
		return "", err
	}
	for _, at := range all {
		if !at.Secret {
			continue
		}
		v, err := s.value(ctx, at)
		if errors.Is(err, pool.ErrNotFound) {
			continue // it was removed meanwhile
		}
		if err != nil {
			return "", err
		}
		plain := string(v.Value)
		_ = json.Unmarshal(v.Value, &plain) // what is no text is masked as it is written
		for part := range strings.Lines(plain) {
			if part = strings.TrimRight(part, "\r\n"); len(part) >= 4 {
				text = strings.ReplaceAll(text, part, "********")
			}
		}
	}
	return text, nil
}
