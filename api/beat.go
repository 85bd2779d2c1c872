package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"appliance/api/wire"
	"appliance/pool"
)

// beatSilence is how long a stream of beats may say nothing before it is closed.
const beatSilence = 30 * time.Second

// beat turns the connection into a stream of beats: each byte that comes is a
// sign of life. It costs a read and no row.
func (s *Server) beat(c echo.Context, m pool.Machine) error {
	boot := c.QueryParam("boot")
	if c.Request().Header.Get("Upgrade") != wire.BeatProtocol {
		return fmt.Errorf("%w: beats need an upgrade to %s", pool.ErrInvalid, wire.BeatProtocol)
	}
	if err := s.Agents.Beat(m.ID, boot); err != nil {
		return err
	}
	ctx := c.Request().Context()
	conn, _, err := http.NewResponseController(c.Response().Writer).Hijack()
	if err != nil {
		return fmt.Errorf("take over connection: %w", err)
	}
	c.Response().Committed = true
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // the appliance ends
	defer stop()
	if err := s.listen(conn, m.ID, boot); err != nil && !errors.Is(err, net.ErrClosed) {
		s.log().DebugContext(ctx, "beats ended", "machine", m.ID, "err", err)
	}
	return nil
}

// listen takes beats until the stream ends or the agent must say hello.
func (s *Server) listen(conn net.Conn, machine, boot string) error {
	defer func() { _ = conn.Close() }() // it is all the answer there is
	const answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + wire.BeatProtocol + "\r\n\r\n"
	if err := conn.SetDeadline(time.Now().Add(beatSilence)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte(answer)); err != nil {
		return err
	}
	b := make([]byte, 16)
	answered := time.Now()
	for {
		if _, err := conn.Read(b); err != nil {
			return err
		}
		if err := s.Agents.Beat(machine, boot); err != nil {
			return err
		}
		now := time.Now()
		if now.Sub(answered) < wire.BeatAnswer {
			continue
		}
		answered = now
		if err := conn.SetDeadline(now.Add(beatSilence)); err != nil {
			return err
		}
		if _, err := conn.Write([]byte{'.'}); err != nil {
			return err
		}
	}
}

// watched takes what an agent says of an instance that it watches.
func (s *Server) watched(c echo.Context, m pool.Machine) error {
	var r pool.WatchReport
	if err := decode(c.Request().Body, &r); err != nil {
		return err
	}
	for _, t := range []struct{ field, text string }{{"watch", r.Watch}, {"bootId", r.BootID}, {"why", r.Why}} {
		if err := wire.CheckText(t.field, t.text, 512); err != nil {
			return err
		}
	}
	var err error
	if r.Evidence, err = s.masked(c.Request().Context(), tail(clean(r.Evidence), maxEvidence)); err != nil {
		return err
	}
	r.Machine = m.ID
	return gone(c, s.Agents.Watched(c.Request().Context(), r))
}

// maintain begins or ends maintenance of the service of one of m's instances,
// as its recipe asks.
func (s *Server) maintain(c echo.Context, m pool.Machine) error {
	var r wire.Maintain
	if err := decode(c.Request().Body, &r); err != nil {
		return err
	}
	if r.Seconds < 0 || r.Seconds > int64((7*24*time.Hour).Seconds()) {
		return fmt.Errorf("%w: maintenance for %d seconds: a week at most", pool.ErrInvalid, r.Seconds)
	}
	ctx := c.Request().Context()
	in, err := s.Store.Instance(ctx, r.Instance)
	if err != nil {
		return err
	}
	if in.Machine != m.ID || m.Instance != in.ID {
		return refuse(http.StatusForbidden, "instance %s is not on machine %s", r.Instance, m.ID)
	}
	by := fmt.Sprintf("%s/%d", in.Service, in.Number)
	if r.Seconds == 0 {
		err = s.Engine.Unmaintain(ctx, in.Service, by)
	} else {
		_, err = s.Engine.Maintain(ctx, in.Service, by, "asked for by the recipe", time.Duration(r.Seconds)*time.Second)
	}
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
