package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"appliance/images"
	"appliance/images/kit"
	"appliance/pool"
	"appliance/tftp"
)

// serveBootFiles serves what machines boot from over TFTP and HTTP.
func (s *appliance) serveBootFiles(ctx context.Context, l sockets) error {
	files, err := images.Unpack(kit.FS(), filepath.Join(s.config.Data, "kit"))
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		t := &tftp.Server{FS: images.TFTP(files, s.dir.site), Log: s.sawTransfer, SinglePort: s.config.TFTP.SinglePort}
		return t.Serve(ctx, l.tftp)
	})
	if l.tftp6 != nil {
		g.Go(func() error {
			t := &tftp.Server{FS: images.TFTP(files, s.dir.site6), Log: s.sawTransfer, SinglePort: s.config.TFTP.SinglePort}
			return t.Serve(ctx, l.tftp6)
		})
	}
	g.Go(func() error {
		b := &images.Boot{
			Kit: files, Directory: s.dir, Stamp: s.states.Stamp, Site: s.dir.siteAt,
			Kernel: s.config.Kernel, Seen: s.boots.See, Log: s.log,
			ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		}
		return b.Serve(ctx, l.http)
	})
	return g.Wait()
}

// sawTransfer makes a boot event of a TFTP transfer.
func (s *appliance) sawTransfer(t tftp.Transfer) {
	if errors.Is(t.Err, tftp.ErrAborted) && t.Bytes == 0 {
		return // a ROM that only asked for the size
	}
	e := pool.BootEvent{At: time.Now(), Stage: pool.StageNBP, Detail: t.File, Address: t.Client.Addr().Unmap(), Bytes: t.Bytes, Took: t.Took}
	if t.Err != nil {
		e.Stage, e.Failed, e.Detail = pool.StageError, true, "TFTP "+t.File+": "+t.Err.Error()
	}
	s.boots.See(e)
}
