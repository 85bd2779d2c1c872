package pool

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Template is a named size with constraints: what a service wants of a machine.
type Template struct {
	Name string `json:"name" yaml:"name"`
	// Cores, Memory (bytes) and Disk (bytes) are minima; zero asks nothing.
	Cores  int      `json:"cores,omitempty" yaml:"cores"`
	Memory uint64   `json:"memory,omitempty" yaml:"memory"`
	Disk   uint64   `json:"disk,omitempty" yaml:"disk"`
	Arch   Arch     `json:"arch,omitempty" yaml:"arch"`
	Tags   []string `json:"tags,omitempty" yaml:"tags"`
	Image  string   `json:"image,omitempty" yaml:"image"` // default image when empty
	Target DiskHint `json:"target,omitzero" yaml:"target"`
	// Drivers are how machines may be come by, in order of preference; empty
	// means metal.
	Drivers []Driver `json:"drivers,omitempty" yaml:"drivers"`
	// Zone and Rack narrow the choice to machines that stand there; empty asks nothing.
	Zone string `json:"zone,omitempty" yaml:"zone"`
	Rack string `json:"rack,omitempty" yaml:"rack"`
	// Storage are the data disks that recipes may ask for by name. Where a
	// machine is matched it is narrowed to those that the recipe asks for: Storing.
	Storage []StorageTemplate `json:"storage,omitempty" yaml:"storage"`
}

// DiskHint chooses the disk that a deployment writes to. All that is given must hold.
type DiskHint struct {
	ByID    string `json:"byId,omitempty" yaml:"byId"`
	Serial  string `json:"serial,omitempty" yaml:"serial"`
	Type    string `json:"type,omitempty" yaml:"type"` // nvme, ssd, hdd, virtio
	MinSize uint64 `json:"minSize,omitempty" yaml:"minSize"`
	MaxSize uint64 `json:"maxSize,omitempty" yaml:"maxSize"`
}

// Shipped returns the templates that every appliance starts with.
func Shipped() []Template {
	any := []Driver{DriverMetal, DriverSSH} // what is in the pool; never a machine that has to be made
	return []Template{
		{Name: "SMALL_LINUX", Cores: 1, Memory: 512 << 20, Disk: 2 << 30, Drivers: any},
		{Name: "MEDIUM_LINUX", Cores: 4, Memory: 8 << 30, Disk: 40 << 30, Drivers: any},
		{Name: "LARGE_LINUX", Cores: 16, Memory: 64 << 30, Disk: 200 << 30, Drivers: any},
		{Name: "host", Cores: 1, Drivers: []Driver{DriverSSH}},
		{Name: "vm", Cores: 1, Memory: 1 << 30, Disk: 4 << 30, Drivers: []Driver{DriverVM}},
	}
}

var templateName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,62}$`)

// Check says what is wrong with t. Errors wrap ErrInvalid.
func (t Template) Check() error {
	switch {
	case !templateName.MatchString(t.Name):
		return fmt.Errorf("%w: template name %q: letters, digits, dot, dash, underscore; a letter first; 63 at most", ErrInvalid, t.Name)
	case t.Cores < 0:
		return fmt.Errorf("%w: template %s: cores %d is negative", ErrInvalid, t.Name, t.Cores)
	case t.Target.MaxSize != 0 && t.Target.MaxSize < t.Target.MinSize:
		return fmt.Errorf("%w: template %s: target disk: maxSize is smaller than minSize", ErrInvalid, t.Name)
	case t.Arch != "" && t.Arch != AMD64 && t.Arch != ARM64:
		return fmt.Errorf("%w: template %s: arch %q: want amd64 or arm64", ErrInvalid, t.Name, t.Arch)
	}
	for i, s := range t.Storage {
		if err := s.Check(); err != nil {
			return fmt.Errorf("template %s: %w", t.Name, err)
		}
		if _, twice := (Template{Storage: t.Storage[:i]}).StorageByName(s.Name); twice {
			return fmt.Errorf("%w: template %s: storage template %s is named twice", ErrInvalid, t.Name, s.Name)
		}
	}
	return checkDrivers(t)
}

// Match returns the constraints of t that m does not meet, as plain phrases;
// none means that m is large enough. It does not look at the phase.
func (t Template) Match(m Machine) []string {
	f := m.Facts
	if f == nil {
		return []string{"was never inventoried"}
	}
	no := t.matchPlace(m)
	if f.CPU.Cores < t.Cores {
		no = append(no, fmt.Sprintf("has %d cores, wants %d", f.CPU.Cores, t.Cores))
	}
	// Firmware and kernel keep a part of what was plugged in: allow for 10 %.
	if f.Memory < t.Memory-t.Memory/10 {
		no = append(no, fmt.Sprintf("has %s of memory, wants %s", Bytes(f.Memory), Bytes(t.Memory)))
	}
	if t.Arch != "" && f.Arch != t.Arch {
		no = append(no, fmt.Sprintf("is %s, wants %s", f.Arch, t.Arch))
	}
	for _, tag := range t.Tags {
		if !slices.Contains(m.Tags, tag) {
			no = append(no, "lacks tag "+tag)
		}
	}
	if m.Driver.Or() == DriverSSH {
		// Its disks are its own: nothing is written to one.
		for _, s := range t.Storage {
			no = append(no, "is a running host, whose disks are not written to: it has none for storage template "+s.Name)
		}
		return no
	}
	if _, _, err := t.Disks(f); err != nil {
		no = append(no, strings.TrimPrefix(err.Error(), ErrInvalid.Error()+": "))
	}
	return no
}

// matchPlace compares how a machine was come by, and where it stands.
func (t Template) matchPlace(m Machine) (no []string) {
	if t.Prefers(m.Driver) < 0 {
		no = append(no, fmt.Sprintf("is of driver %s, wants %s", m.Driver.Or(), joinDrivers(t.Wants())))
	}
	if m.Login != nil && m.Login.Template != "" && m.Login.Template != t.Name {
		no = append(no, "is a node of template "+m.Login.Template)
	}
	for _, p := range []struct{ what, want, has string }{{"zone", t.Zone, m.Zone}, {"rack", t.Rack, m.Rack}} {
		switch {
		case p.want == "" || p.want == p.has:
		case p.has == "":
			no = append(no, fmt.Sprintf("is in no %s, wants %s", p.what, p.want))
		default:
			no = append(no, fmt.Sprintf("is in %s %s, wants %s", p.what, p.has, p.want))
		}
	}
	return no
}

// Choose returns the one disk that the hint names. Where several match and
// they differ in size, the smallest is taken; equal ones are ambiguous and
// refused with the list, as is an empty choice. Errors wrap ErrInvalid.
func (h DiskHint) Choose(disks []Disk) (Disk, error) { return h.choose(disks, "the template's target") }

// choose is Choose; where is what a person names the disk in.
func (h DiskHint) choose(disks []Disk, where string) (Disk, error) {
	var fit []Disk
	for _, d := range disks {
		if !d.Target() ||
			h.ByID != "" && h.ByID != d.ByID || h.Serial != "" && h.Serial != d.Serial ||
			h.Type != "" && h.Type != d.Type || d.Size < h.MinSize || h.MaxSize != 0 && d.Size > h.MaxSize {
			continue
		}
		fit = append(fit, d)
	}
	slices.SortFunc(fit, func(a, b Disk) int {
		return cmp.Or(cmp.Compare(a.Size, b.Size), strings.Compare(a.Serial, b.Serial))
	})
	switch {
	case len(fit) == 0:
		return Disk{}, fmt.Errorf("%w: no disk matches%s; has %s", ErrInvalid, h, listDisks(disks))
	case len(fit) > 1 && fit[0].Size == fit[1].Size:
		return Disk{}, fmt.Errorf("%w: several disks match%s: %s; name one by serial or by-id in %s", ErrInvalid, h, listDisks(fit), where)
	}
	return fit[0], nil
}

// String lists what the hint asks for, with a leading blank.
func (h DiskHint) String() string {
	var b strings.Builder
	add := func(k, v string) {
		if v != "" {
			b.WriteString(" " + k + "=" + v)
		}
	}
	add("by-id", h.ByID)
	add("serial", h.Serial)
	add("type", h.Type)
	if h.MinSize > 0 {
		add("size>", Bytes(h.MinSize))
	}
	if h.MaxSize > 0 {
		add("size<", Bytes(h.MaxSize))
	}
	return b.String()
}

func listDisks(disks []Disk) string {
	if len(disks) == 0 {
		return "no disk"
	}
	var out []string
	for _, d := range disks {
		out = append(out, fmt.Sprintf("%s (%s, %s, serial %s)", d.Name, d.Type, Bytes(d.Size), d.Serial))
	}
	return strings.Join(out, ", ")
}

// Bytes writes a size with a binary unit: 4.0 GiB.
func Bytes(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	if i == 0 {
		return strconv.FormatUint(n, 10) + " B"
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}

// Near returns the names closest to name, best first, at most three: what an
// error suggests when a name is unknown.
func Near(name string, names []string) []string {
	type scored struct {
		name string
		d    int
	}
	var s []scored
	for _, n := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(n)); d <= max(2, len(name)/3) {
			s = append(s, scored{n, d})
		}
	}
	slices.SortFunc(s, func(a, b scored) int { return cmp.Or(a.d-b.d, strings.Compare(a.name, b.name)) })
	var out []string
	for _, x := range s[:min(3, len(s))] {
		out = append(out, x.name)
	}
	return out
}

// distance is Levenshtein's, by bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost++
			}
			prev, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
