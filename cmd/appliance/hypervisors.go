package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"appliance/orchestrator/compute"
	"appliance/pool"
)

const (
	// hypervisorCommand is the custom command of a recipe that turns its
	// machine into a hypervisor: it says which virtual machines are there.
	hypervisorCommand = "virtualMachines"
	// hypervisorAttribute is what an instance of such a recipe says of itself,
	// and hypervisorKey the secret one with the key to it.
	hypervisorAttribute = "hypervisor"
	hypervisorKey       = "hypervisorKey"
	// hypervisorsEvery is how long the list is kept before it is read anew.
	hypervisorsEvery = time.Second
)

// hypervisorRows is what the list is made of.
type hypervisorRows interface {
	Services(ctx context.Context) ([]pool.Service, error)
	Instances(ctx context.Context, service string) ([]pool.Instance, error)
	Attribute(ctx context.Context, scope, name string) (pool.Attribute, error)
	Secret(ctx context.Context, name string) (pool.Secret, error)
}

// hypervisors are those that are not configured but made: machines of the pool
// on which an instance of a recipe like the shipped "hypervisor" runs.
type hypervisors struct {
	rows hypervisorRows
	log  *slog.Logger

	mu   sync.Mutex
	all  []compute.Hypervisor
	read time.Time
}

// list returns them by name. What cannot be read is told and left as it was.
func (h *hypervisors) list() []compute.Hypervisor {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.read) < hypervisorsEvery {
		return slices.Clone(h.all)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	all, err := madeHypervisors(ctx, h.rows)
	if err != nil {
		h.log.Warn("hypervisors not read", "err", err)
		return slices.Clone(h.all)
	}
	h.all, h.read = all, time.Now()
	return slices.Clone(all)
}

func madeHypervisors(ctx context.Context, rows hypervisorRows) ([]compute.Hypervisor, error) {
	services, err := rows.Services(ctx)
	if err != nil {
		return nil, err
	}
	var out []compute.Hypervisor
	for _, s := range services {
		if s.Phase == pool.ServiceRemoved || !slices.Contains(s.Recipe.Commands, hypervisorCommand) {
			continue
		}
		instances, err := rows.Instances(ctx, s.Name)
		if err != nil {
			return nil, err
		}
		for _, in := range instances {
			h, err := madeHypervisor(ctx, rows, in)
			if errors.Is(err, pool.ErrNotFound) || in.Phase == pool.InstanceRemoved {
				continue // it is not so far, or gone
			}
			if err != nil {
				return nil, err
			}
			out = append(out, h)
		}
	}
	return out, nil
}

// madeHypervisor is what an instance says of itself.
func madeHypervisor(ctx context.Context, rows hypervisorRows, in pool.Instance) (h compute.Hypervisor, err error) {
	a, err := rows.Attribute(ctx, "instance:"+in.ID, hypervisorAttribute)
	if err != nil {
		return h, err
	}
	sealed, err := rows.Secret(ctx, "attr/instance:"+in.ID+"/"+hypervisorKey)
	if err != nil {
		return h, err
	}
	text := a.Value
	if s := ""; json.Unmarshal([]byte(text), &s) == nil {
		text = s // a recipe may keep it as text
	}
	var says struct {
		Address, CA, Certificate, Device, Bridge string
		Cores                                    int
		Memory                                   uint64
		KVM                                      bool
	}
	h.Name = in.Service + "-" + strconv.Itoa(in.Number)
	if err := json.Unmarshal([]byte(text), &says); err != nil {
		h.Away = "does not say how it is reached"
		return h, nil //nolint:nilerr // it is the recipe's fault, and said where somebody asks for a virtual machine
	}
	key := sealed.Reveal()
	if s := ""; json.Unmarshal([]byte(key), &s) == nil {
		key = s
	}
	h.Cores, h.Memory, h.Device, h.Bridge, h.KVM = says.Cores, says.Memory, says.Device, says.Bridge, says.KVM
	h.Remote = &compute.Remote{Address: says.Address, CA: says.CA, Certificate: says.Certificate, Key: pool.NewSecret(key)}
	if in.Phase != pool.InstanceRunning {
		h.Away = "is " + string(in.Phase)
	} else if err := h.Check(); err != nil {
		h.Away = err.Error()
	}
	return h, nil
}
