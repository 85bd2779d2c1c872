package store

import (
	"reflect"
	"slices"
	"sync"

	"appliance/pool"
)

// deepCopy returns a copy of v that shares nothing with it, as if it had just
// been read: of exported fields, whatever they hold. What has no exported
// field (time.Time, netip.Addr) is a value already.
func deepCopy[T any](v T) T {
	copyInside(reflect.ValueOf(&v).Elem())
	return v
}

// inner are, for each type, whether it points anywhere, and for a struct
// through which fields.
var inner sync.Map // reflect.Type -> shape; filled on first use, never changed

type shape struct {
	points bool
	fields []int
}

func shapeOf(t reflect.Type) shape {
	if s, ok := inner.Load(t); ok {
		return s.(shape)
	}
	s := shape{}
	switch t.Kind() { //nolint:exhaustive // the others hold values
	case reflect.Pointer, reflect.Slice, reflect.Map:
		s.points = true
	case reflect.Array:
		s.points = shapeOf(t.Elem()).points
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && shapeOf(f.Type).points {
				s.points = true
				s.fields = append(s.fields, i)
			}
		}
	}
	s.fields = slices.Clip(s.fields)
	inner.Store(t, s)
	return s
}

// copyInside replaces all that v, which can be set, points to by copies.
func copyInside(v reflect.Value) {
	s := shapeOf(v.Type())
	if !s.points {
		return
	}
	switch v.Kind() { //nolint:exhaustive // the others hold values
	case reflect.Struct:
		for _, i := range s.fields {
			copyInside(v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			copyInside(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			p := reflect.New(v.Type().Elem())
			p.Elem().Set(v.Elem())
			copyInside(p.Elem())
			v.Set(p)
		}
	case reflect.Slice:
		if !v.IsNil() {
			c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(c, v)
			for i := range c.Len() {
				copyInside(c.Index(i))
			}
			v.Set(c)
		}
	case reflect.Map:
		copyMap(v)
	}
}

func copyMap(v reflect.Value) {
	if v.IsNil() {
		return
	}
	c := reflect.MakeMapWithSize(v.Type(), v.Len())
	for it := v.MapRange(); it.Next(); {
		e := reflect.New(v.Type().Elem()).Elem()
		e.Set(it.Value())
		copyInside(e)
		c.SetMapIndex(it.Key(), e)
	}
	v.Set(c)
}

// cloneService is deepCopy but for the recipe, of which nothing is ever changed
// in place: who changes a service gives it another one.
func cloneService(s pool.Service) pool.Service {
	if s.DependsOn == nil && s.Rollout == nil && s.Remains == nil && s.Cause == nil && s.Maintenance == nil {
		return s
	}
	r := s.Recipe
	s.Recipe = pool.RecipeInfo{}
	s = deepCopy(s)
	s.Recipe = r
	return s
}

// cloneInstance is deepCopy; most instances point nowhere.
func cloneInstance(in *pool.Instance) pool.Instance {
	if in.Cause == nil && in.Heal == nil && in.Storage == nil {
		return *in
	}
	return deepCopy(*in)
}
