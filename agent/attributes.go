package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"appliance/api/wire"
	"appliance/pool"
	"appliance/recipes"
)

// scope writes a recipe's scope as the appliance knows it: global,
// application:NAME, service:NAME, instance:ID.
func (h *recipeHost) scope(s recipes.Scope) (string, error) {
	service := s.Service
	if service == "" {
		service = h.instance.Service
	}
	key := pool.ServiceKey(h.instance.Application, service)
	switch s.Kind {
	case recipes.Global:
		return "global", nil
	case recipes.ThisApplication:
		app := h.instance.Application
		if app == "" {
			app = "default"
		}
		return "application:" + app, nil
	case recipes.ThisService:
		return "service:" + key, nil
	case recipes.ThisInstance:
		if service == h.instance.Service && (s.Instance == 0 || s.Instance == h.instance.Number) {
			return "instance:" + h.instance.ID, nil
		}
		return "instance:" + key + "/" + strconv.Itoa(s.Instance), nil
	}
	return "", fmt.Errorf("%w: attribute scope %q", pool.ErrInvalid, s.Kind)
}

func (h *recipeHost) attribute(s recipes.Scope, name string) (path string, err error) {
	scope, err := h.scope(s)
	if err != nil {
		return "", err
	}
	q := url.Values{"scope": {scope}}
	if name != "" {
		q.Set("name", name)
	}
	return wire.PathAttr + "?" + q.Encode(), h.lifecycle.connect()
}

// Attribute implements recipes.Host.
func (h *recipeHost) Attribute(ctx context.Context, s recipes.Scope, name string) (recipes.Attribute, bool, error) {
	path, err := h.attribute(s, name)
	if err != nil {
		return recipes.Attribute{}, false, err
	}
	var a wire.AttributeValue
	found, err := h.lifecycle.client.Do(ctx, "GET", path, nil, &a)
	if errors.Is(err, pool.ErrNotFound) || err == nil && !found {
		return recipes.Attribute{}, false, nil
	}
	if err != nil {
		return recipes.Attribute{}, false, fmt.Errorf("read attribute %s: %w", name, err)
	}
	v, err := decodeNumbers(a.Value)
	if err != nil {
		return recipes.Attribute{}, false, fmt.Errorf("%w: attribute %s is not JSON", pool.ErrInvalid, name)
	}
	return recipes.Attribute{Value: v, Secret: a.Secret}, true, nil
}

// decodeNumbers decodes JSON with whole numbers as int64.
func decodeNumbers(b []byte) (any, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	err := d.Decode(&v)
	return numbers(v), err
}

// numbers makes whole numbers int64: a port that was stored is no 3306.0 when
// it comes back.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		n, _ := v.Float64() // it is a number: the decoder said so
		return n
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return v
}

// SetAttribute implements recipes.Host.
func (h *recipeHost) SetAttribute(ctx context.Context, s recipes.Scope, name string, value any, secret bool) error {
	scope, err := h.scope(s)
	if err != nil {
		return err
	}
	if err := h.lifecycle.connect(); err != nil {
		return err
	}
	b, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("%w: attribute %s has no JSON form", pool.ErrInvalid, name)
	}
	if _, err = h.lifecycle.client.Do(ctx, "PUT", wire.PathAttr,
		wire.AttributeValue{Scope: scope, Name: name, Value: b, Secret: secret}, nil); err != nil {
		return fmt.Errorf("set attribute %s: %w", name, err)
	}
	return nil
}

// RemoveAttribute implements recipes.Host.
func (h *recipeHost) RemoveAttribute(ctx context.Context, s recipes.Scope, name string) error {
	path, err := h.attribute(s, name)
	if err != nil {
		return err
	}
	if _, err := h.lifecycle.client.Do(ctx, "DELETE", path, nil, nil); err != nil && !errors.Is(err, pool.ErrNotFound) {
		return fmt.Errorf("remove attribute %s: %w", name, err)
	}
	return nil
}
