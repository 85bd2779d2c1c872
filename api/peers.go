package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"appliance/api/wire"
	"appliance/pool"
)

// What recipes ask of the other services of their application, through the
// agents that run them. An agent speaks for the instance on its machine.

// own is the instance on machine m, and its service.
func (s *Server) own(ctx context.Context, m pool.Machine) (pool.Instance, pool.Service, error) {
	denied := refuse(http.StatusForbidden, "machine %s runs no service", m.Name)
	if m.Instance == "" {
		return pool.Instance{}, pool.Service{}, denied
	}
	in, err := s.Store.Instance(ctx, m.Instance)
	if errors.Is(err, pool.ErrNotFound) {
		return in, pool.Service{}, denied
	}
	if err != nil {
		return in, pool.Service{}, err
	}
	svc, err := s.Store.Service(ctx, in.Service)
	return in, svc, err
}

// peer is a service of the application of svc, by the name it has there; false
// when there is none. A service that was deployed under another name than its
// recipe's answers to itself by both.
func (s *Server) peer(ctx context.Context, svc pool.Service, name string) (pool.Service, bool, error) {
	if name == "" || name == svc.Recipe.Name {
		name = svc.BaseName()
	}
	found, err := s.Store.Service(ctx, pool.ServiceKey(svc.ApplicationName(), name))
	if errors.Is(err, pool.ErrNotFound) || err == nil && (found.Phase == pool.ServiceRemoved || found.ApplicationName() != svc.ApplicationName()) {
		return found, false, nil
	}
	return found, err == nil, err
}

// agentPeer answers context.waitForService and waitForInstances: it waits
// until the service is there with enough instances, woken by events.
func (s *Server) agentPeer(c echo.Context, m pool.Machine) error {
	n, err1 := strconv.Atoi(c.QueryParam("instances"))
	wait, err2 := strconv.Atoi(c.QueryParam("wait"))
	if err := errors.Join(err1, err2); err != nil || n < 0 || wait < 0 {
		return fmt.Errorf("%w: instances and wait: want numbers", pool.ErrInvalid)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), min(time.Duration(min(wait, 3600))*time.Second, maxWait))
	defer cancel()
	read := c.Request().Context()
	_, own, err := s.own(read, m)
	if err != nil {
		return err
	}
	news, stop := s.Store.Watch()
	defer stop()
	for {
		p, ok, err := s.peerView(read, own, c.QueryParam("name"))
		if err != nil {
			return err
		}
		if ok && len(p.Instances) >= n || ctx.Err() != nil {
			if !ok {
				return c.NoContent(http.StatusNoContent)
			}
			return c.JSON(http.StatusOK, p)
		}
		select {
		case <-news:
		case <-ctx.Done():
		}
	}
}

// peerView shows a service as recipes of its application see it: instances
// count once they have a machine on which something of them runs.
func (s *Server) peerView(ctx context.Context, own pool.Service, name string) (pool.Peer, bool, error) {
	svc, ok, err := s.peer(ctx, own, name)
	if err != nil || !ok {
		return pool.Peer{}, false, err
	}
	p := pool.Peer{Name: svc.BaseName(), Planned: svc.Instances, Instances: []pool.PeerInstance{}}
	all, err := s.Store.Instances(ctx, svc.Name)
	if err != nil {
		return p, false, err
	}
	for _, in := range all {
		up := in.Phase == pool.InstanceInstalling || in.Phase == pool.InstanceStarting || in.Phase == pool.InstanceRunning
		if !up || in.Machine == "" {
			continue
		}
		m, err := s.Store.Machine(ctx, in.Machine)
		if errors.Is(err, pool.ErrNotFound) {
			continue
		}
		if err != nil {
			return p, false, err
		}
		if m.Address.IsValid() {
			p.Instances = append(p.Instances, pool.PeerInstance{ID: in.ID, Number: in.Number, Address: m.Address.String(), Host: m.Name,
				Running: in.Phase == pool.InstanceRunning})
		}
	}
	return p, true, nil
}

// agentInvoke runs a custom command for a recipe, and answers when it is done.
func (s *Server) agentInvoke(c echo.Context, m pool.Machine) error {
	var call wire.InvokeCall
	if err := decode(c.Request().Body, &call); err != nil {
		return err
	}
	ctx := c.Request().Context()
	in, own, err := s.own(ctx, m)
	if err != nil {
		return err
	}
	svc, ok, err := s.peer(ctx, own, call.Service)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: service %.80s is not in application %s", pool.ErrNotFound, call.Service, own.ApplicationName())
	}
	inv, err := s.invoke(ctx, svc.Name, pool.InvokeOptions{Command: call.Command, Args: call.Args, Instance: call.Instance,
		By: fmt.Sprintf("%s/%d", in.Service, in.Number)}, pool.CommandTimeout+maxWait)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, inv)
}

// agentReadings answers getDetails and getMonitors of an instance.
func (s *Server) agentReadings(c echo.Context, m pool.Machine) error {
	ctx := c.Request().Context()
	_, own, err := s.own(ctx, m)
	if err != nil {
		return err
	}
	svc, ok, err := s.peer(ctx, own, c.QueryParam("service"))
	if err != nil {
		return err
	}
	if ok {
		all, err := s.Engine.Readings(ctx, svc.Name)
		if err != nil {
			return err
		}
		for _, r := range all {
			if strconv.Itoa(r.Number) == c.QueryParam("instance") {
				return c.JSON(http.StatusOK, r)
			}
		}
	}
	return fmt.Errorf("%w: instance %.20s of service %.80s does not run", pool.ErrNotFound, c.QueryParam("instance"), c.QueryParam("service"))
}

// takeReadings takes what an agent read of the instance on its machine.
func (s *Server) takeReadings(c echo.Context, m pool.Machine) error {
	var r pool.Readings
	if err := decode(c.Request().Body, &r); err != nil {
		return err
	}
	if r.Instance != m.Instance {
		return fmt.Errorf("%w: instance %.80s is not on machine %s", pool.ErrNotFound, r.Instance, m.Name)
	}
	r.Trouble = tail(clean(r.Trouble), maxEvidence)
	if err := s.Agents.TakeReadings(c.Request().Context(), m.ID, r); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
