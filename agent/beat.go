package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// beats says a word every second until ctx ends, on a connection of its own:
// what it costs is a byte, and the appliance hears at once that it ended. A
// connection that is lost is made again; hello is somebody else's business.
func (a *Agent) beats(ctx context.Context) {
	wait := time.Second
	for ctx.Err() == nil {
		began := time.Now()
		err := a.Client.Beat(ctx, wire.PathBeat+"?boot="+url.QueryEscape(a.BootID), wire.BeatEvery)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > time.Minute {
			wait = time.Second
		}
		a.log().Debug("beat ended", "err", err)
		pause(ctx, wait)
		wait = min(wait*2, 15*time.Second)
	}
}

// Beat opens path as a stream and writes a byte to it every interval, until
// ctx ends or the appliance ends the stream or says nothing for a while.
func (c *Client) Beat(ctx context.Context, path string, interval time.Duration) (err error) {
	h := http.Header{"Connection": {"Upgrade"}, "Upgrade": {wire.BeatProtocol}}
	resp, err := c.send(ctx, http.MethodGet, path, nil, h)
	if resp == nil {
		return err
	}
	stream, ok := resp.Body.(io.ReadWriteCloser)
	if resp.StatusCode != http.StatusSwitchingProtocols || !ok {
		return errors.Join(fmt.Errorf("%w: %s: the appliance takes no beats", pool.ErrUnavailable, path), resp.Body.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = stream.Close() }) // it ends both sides
	defer stop()
	quiet := time.AfterFunc(4*wire.BeatAnswer, cancel)
	defer quiet.Stop()
	done := make(chan struct{})
	go func() { // ends with the stream
		defer close(done)
		defer cancel()
		b := make([]byte, 16)
		for {
			if _, err := stream.Read(b); err != nil {
				return
			}
			quiet.Reset(4 * wire.BeatAnswer)
		}
	}()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for ctx.Err() == nil {
		if _, err = stream.Write([]byte{'.'}); err != nil {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	cancel()
	<-done
	return err
}
