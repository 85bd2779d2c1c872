package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/netip"
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
	b := &images.Boot{
		Kit: files, Directory: s.dir, Stamp: s.states.Stamp, Site: s.dir.siteAt,
		IsARM: s.paths.IsARM, Kernel: s.config.Kernel, Seen: s.sawDownload, Log: s.log,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	t := &tftp.Server{FS: files, Open: b.OpenTFTP, Limits: s.tftpLimits, Log: s.sawTransfer, SinglePort: s.config.TFTP.SinglePort}
	s.metrics.watch(s.dhcp, t, b, s.paths)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return t.Serve(ctx, l.tftp) })
	if l.tftp6 != nil {
		g.Go(func() error { return t.Serve(ctx, l.tftp6) })
	}
	g.Go(func() error { return b.Serve(ctx, l.http) })
	if l.bootTLS != nil {
		g.Go(func() error { return b.Serve(ctx, tls.NewListener(l.bootTLS, s.fwCA.FirmwareTLS())) })
	}
	g.Go(func() error { return s.paths.Run(ctx) })
	return g.Wait()
}

// tftpLimits bounds what TFTP grants to a machine by what worked for its model.
func (s *appliance) tftpLimits(client netip.AddrPort) tftp.Limits {
	mac, ok := s.boots.macAt(client.Addr())
	if !ok {
		return tftp.Limits{}
	}
	p, _ := s.paths.Current(mac)
	return tftp.Limits{Block: p.Block, Window: p.Window}
}

// sawDownload passes a boot event of HTTP on. A boot program names no MAC, but
// the lease does, and what becomes of the program matters at once.
func (s *appliance) sawDownload(e pool.BootEvent) {
	if e.MAC.IsZero() && e.Stage == pool.StageNBP {
		e.MAC, _ = s.boots.macAt(e.Address)
	}
	s.boots.See(e)
}

// sawTransfer makes a boot event of a TFTP transfer.
func (s *appliance) sawTransfer(t tftp.Transfer) {
	if errors.Is(t.Err, tftp.ErrAborted) && t.Bytes == 0 {
		return // a ROM that only asked for the size
	}
	mac, _ := s.boots.macAt(t.Client.Addr())
	e := pool.BootEvent{
		At: time.Now(), MAC: mac, Stage: images.TFTPStage(t.File), Detail: t.File, Address: t.Client.Addr().Unmap(),
		Bytes: t.Bytes, Took: t.Took, Block: t.Block, Window: t.Window, Resent: t.Resent,
	}
	if t.Err != nil {
		if errors.Is(t.Err, tftp.ErrNotFound) && images.Optional(t.File) {
			return
		}
		e.Stage, e.Failed, e.Detail, e.Code = pool.StageError, true, "TFTP "+t.File+": "+t.Err.Error(), transferCode(t.Err)
	}
	s.boots.See(e)
}

func transferCode(err error) pool.BootCode {
	switch {
	case errors.Is(err, tftp.ErrTimeout):
		return pool.CodeTimeout
	case errors.Is(err, tftp.ErrMTU):
		return pool.CodeMTU
	case errors.Is(err, tftp.ErrNotFound):
		return pool.CodeMissing
	case errors.Is(err, tftp.ErrRead):
		return pool.CodeRead
	}
	return pool.CodeAborted
}
