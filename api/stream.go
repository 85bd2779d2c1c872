package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"appliance/api/wire"
	"appliance/pool"
)

// Times of the event stream.
const (
	beatEvery  = 15 * time.Second
	writeTime  = 30 * time.Second
	streamPage = 500
)

type streamInput struct {
	After string `query:"after" maxLength:"20" doc:"events with a higher number; without it and Last-Event-ID only new ones come"`
	Last  string `header:"Last-Event-ID"`
}

func (s *Server) streamRoute(a huma.API) {
	d := endpoint{http.MethodGet, "/stream", "stream", "What happens now, as server-sent events", "Appliance", pool.Viewer, http.StatusOK}
	op := s.operation(a, d)
	op.Description += " Messages are named event, live, boot and log; the data is a StreamMessage in which the field of that name is set." +
		" Only stored events carry an id; the stream resumes after the Last-Event-ID that is sent. A comment comes at least every 15 s."
	op.Responses["200"] = &huma.Response{Description: "The stream", Content: map[string]*huma.MediaType{
		"text/event-stream": {Schema: a.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[wire.StreamMessage](), true, "")},
	}}
	huma.Register(a, op, func(ctx context.Context, in *streamInput) (*huma.StreamResponse, error) {
		after, err := s.position(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, d, err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			if err := s.stream(unwrap(hc), after); err != nil {
				s.log().DebugContext(ctx, "event stream ended", "err", err)
			}
		}}, nil
	})
}

// position returns the Seq after which the stream starts. One that the
// journal has not reached (another database was restored) starts now.
func (s *Server) position(ctx context.Context, in *streamInput) (int64, error) {
	text := in.Last
	if text == "" {
		text = in.After
	}
	newest, err := s.Store.Events(ctx, pool.EventFilter{Last: true, Limit: 1})
	if err != nil {
		return 0, err
	}
	var now int64
	if len(newest) > 0 {
		now = newest[0].Seq
	}
	if text == "" {
		return now, nil
	}
	after, err := strconv.ParseInt(text, 10, 64)
	if err != nil || after < 0 {
		return 0, fmt.Errorf("%w: stream position %q is no number", pool.ErrInvalid, text)
	}
	return min(after, now), nil
}

// sse writes server-sent events.
type sse struct {
	w   http.ResponseWriter
	ctl *http.ResponseController
}

func (o sse) send(text string) error {
	_ = o.ctl.SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := o.w.Write([]byte(text)); err != nil {
		return err
	}
	return o.ctl.Flush()
}

func (o sse) message(m wire.StreamMessage) error {
	name, id := "log", ""
	switch {
	case m.Event != nil:
		name, id = "event", "id: "+itoa(m.Event.Seq)+"\n"
	case m.Live != nil:
		name = "live"
	case m.Boot != nil:
		name = "boot"
	}
	b, err := json.Marshal(m) // has no line breaks
	if err != nil {
		return err
	}
	return o.send(id + "event: " + name + "\ndata: " + string(b) + "\n\n")
}

// stream sends until the client goes, the server ends, or the caller's token
// is no longer valid, which each heartbeat checks.
func (s *Server) stream(c echo.Context, after int64) error {
	r := c.Request()
	ctx := r.Context()
	tick, stop := s.Store.Watch()
	defer stop()
	news, stopNews := s.Feed.listen()
	defer stopNews()
	lives, stopLives := s.Engine.WatchLive()
	defer stopLives()
	h := c.Response().Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	c.Response().WriteHeader(http.StatusOK)
	out := sse{c.Response(), http.NewResponseController(c.Response().Writer)}
	// The number without data makes the client resume here even when nothing else came.
	if err := out.send("retry: 2000\nid: " + itoa(after) + "\n\n"); err != nil {
		return err
	}
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	var err error
	if after, err = s.sendEvents(ctx, out, after); err != nil {
		return err
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
			after, err = s.sendEvents(ctx, out, after)
		case m := <-news:
			err = out.message(m)
		case u, ok := <-lives:
			if !ok {
				lives = nil
				continue
			}
			err = out.message(wire.StreamMessage{Live: &u})
		case <-beat.C:
			if _, err = s.authenticate(r, pool.Viewer); err == nil {
				err = out.send(": beat\n\n")
			}
		}
		if err != nil {
			return err
		}
	}
}

// sendEvents sends the stored events after a number and returns the last one's.
func (s *Server) sendEvents(ctx context.Context, out sse, after int64) (int64, error) {
	for {
		events, err := s.Store.Events(ctx, pool.EventFilter{After: after, Limit: streamPage})
		if err != nil {
			return after, err
		}
		for i := range events {
			if err := out.message(wire.StreamMessage{Event: &events[i]}); err != nil {
				return after, err
			}
			after = events[i].Seq
		}
		if len(events) < streamPage {
			return after, nil
		}
	}
}
