package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A machine that was fenced must not start what it ran when it gets power
// back: another may have its work. Units of recipes stay disabled, packages
// start nothing (policy-rc.d), and what is enabled all the same does not start
// before the appliance has confirmed this boot: a systemd generator puts a
// condition on every unit that was not enabled in the image.

// confirmedPath exists from when the appliance has confirmed this boot; it
// lies in RAM, so it does not outlive the boot.
const confirmedPath = "/run/appliance/confirmed"

// generator runs before the first unit is started, and at each daemon-reload.
const generator = "#!/bin/sh\n# What recipes leave enabled waits until the appliance has confirmed this boot.\nexec " + InstalledPath + " guard \"$1\"\n"

const (
	generatorFile = "etc/systemd/system-generators/appliance-guard"
	baselineFile  = identityDir + "/units" // enabled in the image
	condition     = "[Unit]\nConditionPathExists=" + confirmedPath + "\n"
)

// Confirmed says whether the appliance, or a person, let this boot start
// what recipes put here.
func (h Home) Confirmed() bool {
	_, err := os.Stat(h.confirmed())
	return err == nil
}

func (h Home) confirmed() string {
	if h.Boot == "" {
		return confirmedPath
	}
	return filepath.Join(h.Boot, "confirmed")
}

// confirm writes who confirmed this boot, and at which epoch.
func (h Home) confirm(by string, epoch int64) error {
	p := h.confirmed()
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		return fmt.Errorf("confirm boot: %w", err)
	}
	if err := os.WriteFile(p, fmt.Appendf(nil, "%s epoch %d\n", by, epoch), 0o644); err != nil {
		return fmt.Errorf("confirm boot: %w", err)
	}
	return nil
}

// revoke takes the confirmation back: nothing more is started.
func (h Home) revoke() error {
	if err := os.Remove(h.confirmed()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("revoke confirmation: %w", err)
	}
	return nil
}

// unconfirmed records that a person at the machine let it start.
type unconfirmed struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	BootID string    `json:"bootId"`
}

// StartUnconfirmed lets what is on this machine start although the appliance
// has not confirmed this boot: a person says that no other machine has its
// work. It is recorded, and told when the appliance is reached.
func (h Home) StartUnconfirmed() error {
	by := os.Getenv("SUDO_USER")
	if by == "" {
		by = fmt.Sprintf("uid %d", unix.Getuid())
	}
	b, err := json.Marshal(unconfirmed{At: time.Now().UTC(), By: by, BootID: bootID()})
	if err != nil {
		return fmt.Errorf("record start: %w", err)
	}
	if err := writeSynced(h.state(unconfirmedFile), b); err != nil {
		return err
	}
	return h.confirm("unconfirmed, by "+by, 0)
}

// unconfirmed says who let this system start without the appliance, until the
// appliance was told.
func (h Home) unconfirmed() string {
	b, err := os.ReadFile(h.state(unconfirmedFile))
	if err != nil {
		return ""
	}
	var u unconfirmed
	if err := json.Unmarshal(b, &u); err != nil {
		return "somebody, at an unknown time"
	}
	return u.By + " at " + u.At.Format(time.RFC3339)
}

// told forgets it: the appliance keeps it from now on.
func (h Home) told() error {
	if err := os.Remove(h.state(unconfirmedFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget start: %w", err)
	}
	return nil
}

const unconfirmedFile = "unconfirmed.json"

// Guard writes the condition for each unit that is enabled in the system at
// root and was not in its image, into the generator's folder dir.
func Guard(root, dir string) error {
	known, err := os.ReadFile(filepath.Join(root, baselineFile))
	if err != nil {
		return fmt.Errorf("read units of the image: %w", err)
	}
	system, err := os.OpenRoot(root)
	if err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	defer func() { _ = system.Close() }() // only read
	baseline := strings.Fields(string(known))
	for _, unit := range enabledUnits(system.FS()) {
		if slices.Contains(baseline, unit) {
			continue
		}
		d := filepath.Join(dir, unit+".d")
		if err := os.MkdirAll(d, 0o755); err != nil {
			return fmt.Errorf("guard %s: %w", unit, err)
		}
		if err := os.WriteFile(filepath.Join(d, "50-appliance.conf"), []byte(condition), 0o644); err != nil {
			return fmt.Errorf("guard %s: %w", unit, err)
		}
	}
	return nil
}

// enabledUnits lists what starts by itself: units that others want or require,
// and scripts of runlevels.
func enabledUnits(system fs.FS) []string {
	var out []string
	for _, pattern := range []string{"etc/systemd/system/*.wants/*", "etc/systemd/system/*.requires/*"} {
		found, _ := fs.Glob(system, pattern) // the pattern is good
		for _, f := range found {
			out = append(out, path.Base(f))
		}
	}
	for _, pattern := range []string{"etc/rc[2345S].d/S[0-9][0-9]*"} {
		found, _ := fs.Glob(system, pattern)
		for _, f := range found {
			out = append(out, path.Base(f)[3:]+".service")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// guardUnits prepares the guard in a system that was just written.
func guardUnits(root *os.Root) error {
	units := strings.Join(enabledUnits(root.FS()), "\n") + "\n"
	if err := put(root, baselineFile, []byte(units), 0o644); err != nil {
		return err
	}
	return put(root, generatorFile, []byte(generator), 0o755)
}
