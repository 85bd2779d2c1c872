package rack_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"appliance/pool"
	"appliance/rack"
)

// TestE2EStorage keeps rows on the disk of a storage template: they outlive a
// reinstall of the system, a power cut, an update to another image, and the
// service itself.
func TestE2EStorage(t *testing.T) { minutes(t, "storage") }

const dataSerial = "DATA-DISK-1"

func storage(ctx context.Context) error {
	machine := rack.Spec{MemoryMB: 768, Boot: rack.BootPXE, Disks: []rack.Disk{{}, {Bytes: 1 << 30, Serial: dataSerial}}}
	return site{machines: []rack.Spec{machine}, pooled: 1, limit: 60 * time.Minute}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"rows are kept on a disk of their own", d.storedApart},
			{"the system is installed anew", d.reinstalled},
			{"its machine loses power", d.rowsDie},
			{"the system gets another image", d.reimaged},
			{"the service is removed, its data stay", d.dataStay},
		}
	})
}

// storedApart deploys the row store with its folder on the second disk.
func (d *healDay) storedApart(ctx context.Context) error {
	if err := d.files(map[string]string{"db.yaml": "name: DB\nstorage:\n  - {name: DATA, path: /var/lib/rowstore, serial: " + dataSerial + "}\n"}); err != nil {
		return err
	}
	if _, err := d.must(ctx, "template", "set", "db.yaml"); err != nil {
		return err
	}
	if err := d.recipeOf("rowstore", 9090, true); err != nil {
		return err
	}
	path := filepath.Join(d.dir, "rowstore", "rowstore-service.groovy")
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(strings.Replace(string(text), `compute { template "SMALL_LINUX" }`, "compute { template \"DB\" }\n    storage { template \"DATA\" }", 1)), 0o644)
	}
	if err != nil {
		return err
	}
	out, err := d.must(ctx, "plan", "./rowstore")
	if err == nil && !strings.Contains(out, dataSerial) {
		err = fmt.Errorf("the plan does not say which disk it is: %s", out)
	}
	if err != nil {
		return err
	}
	if err := d.deployed(ctx, 20*time.Minute, []string{"rowstore"}, "./rowstore"); err != nil {
		return err
	}
	return errors.Join(d.put(ctx, 20), d.onDataDisk())
}

// onDataDisk says whether the rows lie on the second disk, and not on the first.
func (d *healDay) onDataDisk() error {
	for n, want := range []bool{false, true} {
		has, err := holds(d.rack.Machines[0].Spec.Disks[n].Path, "row-0\nrow-1\n")
		if err != nil {
			return err
		}
		if has != want {
			return fmt.Errorf("disk %d holds the rows: %t, want %t", n, has, want)
		}
	}
	return nil
}

func (d *healDay) reinstalled(ctx context.Context) error {
	at := time.Now()
	if _, err := d.must(ctx, "service", "reinstall", "rowstore", "--instance", "1"); err != nil {
		return err
	}
	if err := d.imagedSince(ctx, at); err != nil {
		return err
	}
	time.Sleep(35 * time.Second) // the window after the appliance's own start is over: it may fence
	return nil
}

// imagedSince waits until the row store runs on a system that was written
// since, and has every row.
func (d *healDay) imagedSince(ctx context.Context, at time.Time) error {
	err := d.until(ctx, 20*time.Minute, "the row store is back", func() (bool, error) {
		in, _, err := d.instance(ctx, "rowstore")
		return in.Phase == pool.InstanceRunning && in.RunningAt.After(at), err
	})
	if err != nil {
		return err
	}
	in, _, err := d.instance(ctx, "rowstore")
	if err != nil {
		return err
	}
	all, err := d.api.Events(ctx, pool.EventFilter{Machine: in.Machine, Type: "step.done", Last: true, Limit: 100})
	if err != nil {
		return err
	}
	written := false
	for _, e := range all {
		written = written || e.Step == "image" && e.At.After(at)
	}
	if !written {
		return errors.New("no image was written")
	}
	return errors.Join(d.count(ctx), d.put(ctx, 20))
}

func (d *healDay) reimaged(ctx context.Context) error {
	f, err := os.Open(os.Getenv("APPLIANCE_IMAGE"))
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err := d.api.UploadImage(ctx, "debian-12-next", f, info.Size()); err != nil {
		return err
	}
	at := time.Now()
	if _, err := d.must(ctx, "service", "update", "rowstore", "--image", "debian-12-next"); err != nil {
		return err
	}
	if err := d.imagedSince(ctx, at); err != nil {
		return err
	}
	m, err := d.machineOf(ctx, "rowstore")
	if err == nil && m.Image != "debian-12-next" {
		err = fmt.Errorf("%s has image %s", m.Name, m.Image)
	}
	return err
}

func (d *healDay) dataStay(ctx context.Context) error {
	if _, err := d.must(ctx, "service", "remove", "rowstore"); err != nil {
		return err
	}
	m, err := d.api.Machine(ctx, d.rack.Machines[0].MAC())
	if err != nil {
		return err
	}
	if m.Phase != pool.Enrolled || !m.Conditions.Is(pool.CondProtected) {
		return fmt.Errorf("%s is %s with %v", m.Name, m.Phase, m.Conditions)
	}
	return d.onDataDisk()
}
