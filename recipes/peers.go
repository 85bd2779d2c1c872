package recipes

import (
	"context"
	"fmt"
	"slices"
	"time"

	"appliance/recipes/groovy"
)

// lookup asks the host for a service; while a recipe is checked, and of
// itself where the host knows nothing, what Values says.
func (c *contextObject) lookup(ctx context.Context, name string, n int, wait time.Duration) (Service, bool, error) {
	own, known := c.values.Services[name]
	if c.host == nil {
		return own, known, nil
	}
	s, ok, err := c.host.Service(ctx, name, n, wait)
	if err != nil {
		return s, false, fmt.Errorf("look at service %s: %w", name, err)
	}
	if !ok && known {
		return own, true, nil
	}
	return s, ok, nil
}

// service answers waitForService: the service, or null when it is not there
// in time.
func (c *contextObject) service(t *groovy.Thread, name string, wait time.Duration) (groovy.Value, error) {
	s, ok, err := c.lookup(t.Context(), name, 0, wait)
	if err != nil || !ok {
		return nil, err
	}
	return &serviceObject{c: c, name: name, seen: s}, nil
}

// serviceObject is a service as context.waitForService returns it. Its
// numbers and instances are looked at anew whenever they are asked for.
type serviceObject struct {
	c    *contextObject
	name string
	seen Service
}

// Type names the class.
func (s *serviceObject) Type() string { return "org.cloudifysource.domain.context.Service" }

func (s *serviceObject) look(t *groovy.Thread, n int, wait time.Duration) error {
	now, ok, err := s.c.lookup(t.Context(), s.name, n, wait)
	switch {
	case err != nil:
		return err
	case ok:
		s.seen = now
	default:
		s.seen.Instances = nil // it was removed
	}
	return nil
}

// Get reads a property.
func (s *serviceObject) Get(t *groovy.Thread, name string) (groovy.Value, error) {
	switch name {
	case "name":
		return s.name, nil
	case "instances", "numberOfPlannedInstances", "numberOfActualInstances":
	default:
		return nil, groovy.ErrNoMember
	}
	if err := s.look(t, 0, 0); err != nil {
		return nil, err
	}
	switch name {
	case "numberOfPlannedInstances":
		return int64(max(s.seen.Planned, len(s.seen.Instances))), nil
	case "numberOfActualInstances":
		return int64(len(s.seen.Instances)), nil
	}
	return s.instances(), nil
}

func (s *serviceObject) instances() *groovy.List {
	l := groovy.Array("ServiceInstance") // as the original: length, too
	list := slices.SortedFunc(slices.Values(s.seen.Instances), func(a, b Instance) int { return a.ID - b.ID })
	for _, i := range list {
		l.Elems = append(l.Elems, &instanceObject{c: s.c, service: s.name, in: i})
	}
	return l
}

// Set refuses.
func (s *serviceObject) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call calls a method. getX() is the property x, as everywhere in Groovy.
func (s *serviceObject) Call(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	switch {
	case name == "waitForInstances" && len(args) > 0:
		n, _ := args[0].(int64)
		n = min(max(n, 0), 1<<16)
		if err := s.look(t, int(n), time.Duration(millis(args))*time.Millisecond); err != nil {
			return nil, err
		}
		if int(n) > len(s.seen.Instances) {
			return nil, nil // as the original: null on timeout
		}
		return s.instances(), nil
	case name == "invoke" && len(args) > 0:
		values, err := invoke(t, s.c, s.name, 0, args)
		return groovy.FromPlain(values), err
	}
	return getter(t, s, name, args)
}

// instanceObject is one instance of a service.
type instanceObject struct {
	c       *contextObject
	service string
	in      Instance
}

// Type names the class.
func (i *instanceObject) Type() string { return "org.cloudifysource.domain.context.ServiceInstance" }

// Get reads a property.
func (i *instanceObject) Get(_ *groovy.Thread, name string) (groovy.Value, error) {
	switch name {
	case "instanceId", "instanceID":
		return int64(i.in.ID), nil
	case "hostAddress":
		return i.in.Address, nil
	case "hostName":
		return i.in.Name, nil
	}
	return nil, groovy.ErrNoMember
}

// Set refuses.
func (i *instanceObject) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call calls a method.
func (i *instanceObject) Call(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	switch {
	case name == "invoke" && len(args) > 0:
		values, err := invoke(t, i.c, i.service, i.in.ID, args)
		if err != nil || len(values) == 0 {
			return nil, err
		}
		return groovy.FromPlain(values[0]), nil
	case (name == "getDetails" || name == "getMonitors") && len(args) == 1:
		if i.c.host == nil {
			return nil, unchecked("ServiceInstance." + name)
		}
		details, monitors, err := i.c.host.Readings(t.Context(), i.service, i.in.ID)
		if err != nil {
			return nil, fmt.Errorf("read %s of %s/%d: %w", name[3:], i.service, i.in.ID, err)
		}
		if name == "getMonitors" {
			details = monitors
		}
		return groovy.FromPlain(details[groovy.Format(args[0])]), nil
	}
	return getter(t, i, name, args)
}

// getter is getName() for the property name.
func getter(t *groovy.Thread, o groovy.Object, name string, args []groovy.Value) (groovy.Value, error) {
	if len(args) == 0 && len(name) > 3 && name[:3] == "get" {
		return o.Get(t, string(name[3]|0x20)+name[4:])
	}
	return nil, groovy.ErrNoMember
}

func unchecked(what string) error {
	return groovy.Throw("UnsupportedOperationException", "%s is not available while a recipe is checked", what)
}

// invoke runs a custom command: invoke("name", a, b), or with the parameters
// as one array.
func invoke(t *groovy.Thread, c *contextObject, service string, instance int, args []groovy.Value) ([]any, error) {
	if c.host == nil {
		return nil, unchecked("invoke")
	}
	command, params := groovy.Format(args[0]), args[1:]
	if len(params) == 1 {
		if l, ok := params[0].(*groovy.List); ok {
			params = l.Elems
		}
	}
	text := make([]string, len(params))
	for i, p := range params {
		text[i] = groovy.Format(p)
	}
	values, err := c.host.Invoke(t.Context(), service, instance, command, text)
	if t.Context().Err() != nil {
		return nil, t.Context().Err()
	}
	if err != nil { // a recipe may catch it
		return nil, groovy.Throw("InvocationException", "%s of service %s: %v", command, service, err)
	}
	return values, nil
}
