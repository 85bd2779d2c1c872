package rack_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// TestE2EOperator kills the machine of a service that keeps data and has
// neither a replica nor a backup. It waits for the operator and says so; a
// machine that is free is not taken before the operator says that the data may
// be left behind. They stay on the lost machine's disk, protected.
func TestE2EOperator(t *testing.T) { minutes(t, "operator") }

// slowReturn lets a chassis that is switched on again take as long as an
// emulated one takes on a busy machine.
const slowReturn = "healing: {return: 3m}\n"

func operator(ctx context.Context) error {
	return site{machines: metal(2, 768), pooled: 2, config: slowReturn}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"the service runs", func(ctx context.Context) error { return d.deploy(ctx, "rowstore", 9090, true) }},
			{"rows are written", func(ctx context.Context) error { return d.put(ctx, 50) }},
			{"its chassis does not come back", d.chassisGone},
			{"the operator decides", d.operatorDecides},
		}
	})
}

func (d *healDay) operatorDecides(ctx context.Context) error {
	lost, i, err := d.instance(ctx, "rowstore")
	if err != nil {
		return err
	}
	s, err := d.api.Service(ctx, "rowstore")
	if err != nil {
		return err
	}
	c := s.Running[0].Cause
	if c == nil || c.Code != "heal.nodata" || !strings.Contains(c.Message, "keeps data, and it has neither a replica nor a verified backup: it waits for") ||
		!strings.Contains(c.Remedy, "appliance service recover rowstore --without-data") {
		return fmt.Errorf("the instance's cause: %+v", c)
	}
	if err := d.refused(ctx, []string{"keeps data that is on", "--without-data"}, "service", "recover", "rowstore"); err != nil {
		return err
	}
	if now, _, err := d.instance(ctx, "rowstore"); err != nil || now.Machine != lost.Machine || now.Phase != pool.InstanceRecovering {
		return fmt.Errorf("before the operator's word it is %s on %s, %w", now.Phase, now.Machine, err)
	}
	at := time.Now()
	if _, err := d.must(ctx, "service", "recover", "rowstore", "--without-data"); err != nil {
		return err
	}
	err = d.until(ctx, 15*time.Minute, "it runs on the other machine", func() (bool, error) {
		now, _, err := d.instance(ctx, "rowstore")
		return err == nil && now.Phase == pool.InstanceRunning && now.Machine != lost.Machine, nil //nolint:nilerr // it is on its way
	})
	if err != nil {
		return err
	}
	if err := errors.Join(d.since(ctx, "instance.override", at), d.since(ctx, "instance.healed", at)); err != nil {
		return err
	}
	out, err := d.ask(ctx, "all")
	if err != nil || len(out) != 1 {
		return fmt.Errorf("it is to be empty, and has %v, %w", out, err)
	}
	m, err := d.machine(ctx, i, time.Second, "is held back", func(m wire.Machine) bool { return m.Phase == pool.Enrolled && m.Instance == "" })
	if err != nil {
		return err
	}
	if !m.Conditions.Is(pool.CondProtected) {
		return fmt.Errorf("the lost machine is not protected: %v", m.Conditions)
	}
	held, err := holds(d.rack.Machines[i].Spec.Disks[0].Path, "row-0\nrow-1\n")
	if err == nil && !held {
		err = errors.New("the rows are gone from the lost machine's disk")
	}
	return err
}
