package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"appliance/images/kit"
	"appliance/orchestrator/compute"
	"appliance/pool"
)

// drivers returns the compute drivers of this appliance.
func (s *appliance) drivers() compute.Set {
	return compute.Set{compute.Metal{}, compute.Hosts{Agent: s.agentFor, Identity: s.hostIdentity, Server: s.url(),
		Local: filepath.Join(s.config.Data, "host"), Log: s.log}}
}

// hostIdentity issues the identity of an agent that was put on a host.
func (s *appliance) hostIdentity(ctx context.Context, m pool.Machine, csr string) ([]byte, error) {
	id, err := s.api.HostIdentity(ctx, m, csr)
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(id, "", "  ")
}

// agentFor returns the static agent for an architecture: from the folder that
// the configuration names, else the one that this binary carries.
func (s *appliance) agentFor(arch pool.Arch) ([]byte, error) {
	name := "appliance-agent-" + string(arch)
	if s.config.Agents != "" {
		b, err := os.ReadFile(filepath.Join(s.config.Agents, name))
		if !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
	}
	f, err := kit.FS().Open(name + ".zst")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: this binary carries no agent for %s", pool.ErrNotFound, arch)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it is read from memory
	z, err := zstd.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("unpack agent for %s: %w", arch, err)
	}
	defer z.Close()
	b, err := io.ReadAll(io.LimitReader(z, 256<<20))
	if err != nil {
		return nil, fmt.Errorf("unpack agent for %s: %w", arch, err)
	}
	return b, nil
}
