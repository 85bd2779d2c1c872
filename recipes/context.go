package recipes

import (
	"fmt"
	"slices"
	"time"

	"appliance/recipes/groovy"
)

// contextObject is "context" and ServiceContextFactory.getServiceContext().
// While a recipe is checked host is nil: the instance's values answer,
// attributes do not (rule 22).
type contextObject struct {
	values  Values
	name    string // service
	dir     string
	host    Host
	secrets *redactor
}

// Type names the class.
func (c *contextObject) Type() string { return "org.cloudifysource.domain.context.ServiceContext" }

// Get reads a property of the context.
func (c *contextObject) Get(_ *groovy.Thread, name string) (groovy.Value, error) {
	v := c.values
	public := v.PublicAddress
	if public == "" {
		public = v.PrivateAddress
	}
	switch name {
	case "instanceId":
		return int64(v.InstanceID), nil
	case "serviceName":
		return first(v.ServiceName, c.name), nil
	case "applicationName":
		return first(v.ApplicationName, "default"), nil
	case "serviceDirectory":
		return c.dir, nil
	case "privateAddress", "bindAddress":
		return v.PrivateAddress, nil
	case "publicAddress":
		return public, nil
	case "machineID":
		return v.MachineID, nil
	case "locationId":
		return v.LocationID, nil
	case "cloudTemplateName":
		return v.Template, nil
	case "imageID":
		return v.ImageID, nil
	case "hardwareID":
		return v.HardwareID, nil
	case "externalProcessId":
		return int64(0), nil
	case "localCloud":
		return false, nil
	case "privileged":
		return true, nil
	case "attributes":
		if c.host == nil {
			return nil, groovy.Throw("UnsupportedOperationException", "context method is not supported for services running outside a GSC.")
		}
		return &attributes{c}, nil
	}
	if why, ok := notHere()["context."+name]; ok {
		return nil, groovy.Throw("UnsupportedOperationException", "%s", why)
	}
	return nil, groovy.ErrNoMember
}

// notHere are properties of the context that only the original has, with what to do instead.
func notHere() map[string]string {
	return map[string]string{
		"context.admin":   "context.admin is not available: there is no GigaSpaces here; waitForService tells of other services",
		"context.storage": "context.storage is not available: name a disk of the machine by storage { template \"...\" }, it is mounted before init",
		"context.network": "context.network is not available: machines of the pool have no floating addresses; the service's name in DNS follows it",
	}
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// Set refuses: the context is read only.
func (c *contextObject) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call calls a method of the context.
func (c *contextObject) Call(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	switch name {
	case "isLocalCloud":
		return false, nil
	case "isPrivileged":
		return true, nil
	case "waitForService":
		if len(args) == 0 {
			return nil, groovy.ErrNoMember
		}
		return c.service(t, groovy.Format(args[0]), time.Duration(millis(args))*time.Millisecond)
	case "startMaintenanceMode", "stopMaintenanceMode":
		m, ok := c.host.(Maintainer)
		if !ok {
			return nil, groovy.Throw("UnsupportedOperationException", "context.%s is not available", name)
		}
		return nil, m.Maintain(t.Context(), maintenance(name, args))
	}
	return nil, groovy.ErrNoMember
}

// millis is the time of (..., number, TimeUnit), at most a day.
func millis(args []groovy.Value) int64 {
	if len(args) < 3 {
		return 0
	}
	n, _ := groovy.Number(args[len(args)-2])
	u, _ := args[len(args)-1].(groovy.Enum)
	return int64(min(max(n, 0)*float64(unit(u.Name)), 86400_000))
}

// maintenance is the time of startMaintenanceMode(number, TimeUnit), at least
// a second; stopMaintenanceMode has none.
func maintenance(name string, args []groovy.Value) time.Duration {
	if name == "stopMaintenanceMode" {
		return 0
	}
	if len(args) == 2 {
		args = append([]groovy.Value{nil}, args...)
	}
	return max(time.Duration(millis(args))*time.Millisecond, time.Second)
}

func unit(name string) int64 {
	switch name {
	case "SECONDS":
		return 1000
	case "MINUTES":
		return 60_000
	case "HOURS":
		return 3600_000
	case "DAYS":
		return 86400_000
	}
	return 1
}

// attributes is context.attributes: the four scopes, and other services by name.
type attributes struct{ c *contextObject }

// Type names the class.
func (a *attributes) Type() string { return "AttributesFacade" }

// Get answers with a scope.
func (a *attributes) Get(_ *groovy.Thread, name string) (groovy.Value, error) {
	service := first(a.c.values.ServiceName, a.c.name)
	s := &scopeObject{c: a.c}
	switch name {
	case "thisInstance":
		s.scope = Scope{ThisInstance, service, a.c.values.InstanceID}
	case "thisService":
		s.scope = Scope{Kind: ThisService, Service: service}
	case "thisApplication":
		s.scope = Scope{Kind: ThisApplication}
	case "global":
		s.scope = Scope{Kind: Global}
	default:
		s.scope = Scope{Kind: ThisService, Service: name}
	}
	return s, nil
}

// Set refuses.
func (a *attributes) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call is attributes["name"] and getThisService().
func (a *attributes) Call(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	if name == "getAt" && len(args) == 1 {
		return a.Get(t, groovy.Format(args[0]))
	}
	if len(args) == 0 && slices.Contains([]string{"getThisInstance", "getThisService", "getThisApplication", "getGlobal"}, name) {
		return a.Get(t, string(name[3]|0x20)+name[4:])
	}
	return nil, groovy.ErrNoMember
}

// scopeObject is one scope of attributes.
type scopeObject struct {
	c     *contextObject
	scope Scope
}

// Type names the class.
func (s *scopeObject) Type() string { return "AttributesAccessor" }

// Get reads an attribute; null when it is not set.
func (s *scopeObject) Get(t *groovy.Thread, name string) (groovy.Value, error) {
	if name == "instances" && s.scope.Kind == ThisService {
		return s.instances(t), nil
	}
	a, _, err := s.c.host.Attribute(t.Context(), s.scope, name)
	if err != nil {
		return nil, fmt.Errorf("read attribute %s: %w", name, err)
	}
	v := groovy.FromPlain(a.Value)
	if a.Secret {
		s.c.secrets.hide(groovy.Format(v))
	}
	return v, nil
}

// instances are the scopes of the service's instances, from 1.
func (s *scopeObject) instances(t *groovy.Thread) groovy.Value {
	l := groovy.NewList(nil) // [n] counts from 1
	planned := max(s.c.values.Planned, s.c.values.Services[s.scope.Service].Planned, 1)
	if s.scope.Service != s.c.name && s.c.host != nil {
		if other, ok, err := s.c.host.Service(t.Context(), s.scope.Service, 0, 0); err == nil && ok {
			planned = max(other.Planned, 1)
		}
	}
	for i := range min(planned, 10000) {
		l.Elems = append(l.Elems, &scopeObject{s.c, Scope{ThisInstance, s.scope.Service, i + 1}})
	}
	return l
}

// Set writes an attribute.
func (s *scopeObject) Set(t *groovy.Thread, name string, v groovy.Value) error {
	return s.set(t, name, v, false)
}

func (s *scopeObject) set(t *groovy.Thread, name string, v groovy.Value, secret bool) error {
	if secret {
		s.c.secrets.hide(groovy.Format(v))
	}
	data, err := groovy.Data(v)
	if err == nil {
		err = s.c.host.SetAttribute(t.Context(), s.scope, name, data, secret)
	}
	if err != nil {
		return fmt.Errorf("set attribute %s: %w", name, err)
	}
	return nil
}

// Call calls a method of the scope; setSecret is ours.
func (s *scopeObject) Call(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	key := ""
	if len(args) > 0 {
		key = groovy.Format(args[0])
	}
	switch {
	case (name == "get" || name == "getAt") && len(args) == 1:
		return s.Get(t, key)
	case (name == "put" || name == "putAt" || name == "set") && len(args) == 2:
		return nil, s.set(t, key, args[1], false)
	case name == "setSecret" && len(args) == 2:
		return nil, s.set(t, key, args[1], true)
	case name == "remove" && len(args) == 1:
		old, err := s.Get(t, key)
		if err != nil {
			return nil, err
		}
		return old, s.c.host.RemoveAttribute(t.Context(), s.scope, key)
	case name == "clear" && len(args) == 0:
		return nil, s.c.host.RemoveAttribute(t.Context(), s.scope, "")
	case name == "containsKey" && len(args) == 1:
		_, ok, err := s.c.host.Attribute(t.Context(), s.scope, key)
		return ok, err
	}
	return nil, groovy.ErrNoMember
}
