package pool

import (
	"crypto/sha256"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// StorageTemplate binds a local disk to the data of an instance: a recipe
// names it with storage { template "NAME" }. The disk is formatted only when
// it is proven empty, and mounted when it bears the instance's own label: so
// the data survive a reinstall of the machine and are never taken for
// another's.
type StorageTemplate struct {
	Name string `json:"name" yaml:"name"`
	// Size (bytes) is a minimum; ByID, Serial and Type narrow the choice. All
	// that is given must hold.
	Size   uint64 `json:"size,omitempty" yaml:"size"`
	ByID   string `json:"byId,omitempty" yaml:"byId"`
	Serial string `json:"serial,omitempty" yaml:"serial"`
	Type   string `json:"type,omitempty" yaml:"type"` // nvme, ssd, hdd, virtio
	// Path is where it is mounted.
	Path string `json:"path" yaml:"path"`
	// FileSystem is ext4, also when empty.
	FileSystem string `json:"fileSystem,omitempty" yaml:"fileSystem"`
	// DeleteOnExit erases the file system when the instance is removed; else
	// the disk stays protected with what it holds.
	DeleteOnExit bool `json:"deleteOnExit,omitempty" yaml:"deleteOnExit"`
}

var storageName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,30}$`)

// reservedPaths are what a data disk is never mounted on or above.
var reservedPaths = []string{"/", "/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/root", "/run", "/sbin", "/sys", "/usr", "/var",
	"/var/lib/appliance"}

// Check says what is wrong with s. Errors wrap ErrInvalid.
func (s StorageTemplate) Check() error {
	switch {
	case !storageName.MatchString(s.Name):
		return fmt.Errorf("%w: storage template name %q: letters, digits, dash, underscore; a letter first; 31 at most", ErrInvalid, s.Name)
	case !path.IsAbs(s.Path) || path.Clean(s.Path) != s.Path || strings.ContainsAny(s.Path, " \t\r\n\x00\\"):
		return fmt.Errorf("%w: storage template %s: path %q: want a clean absolute path", ErrInvalid, s.Name, s.Path)
	case slices.Contains(reservedPaths, s.Path) || underAny(s.Path, "/proc", "/sys", "/dev", "/etc", "/usr", "/boot", "/var/lib/appliance"):
		return fmt.Errorf("%w: storage template %s: path %s belongs to the system; take one such as /var/lib/mysql or /srv/data", ErrInvalid, s.Name, s.Path)
	case s.FileSystem != "" && s.FileSystem != "ext4":
		return fmt.Errorf("%w: storage template %s: file system %q: want ext4", ErrInvalid, s.Name, s.FileSystem)
	}
	return nil
}

// hint chooses the disk of s.
func (s StorageTemplate) hint() DiskHint {
	return DiskHint{ByID: s.ByID, Serial: s.Serial, Type: s.Type, MinSize: s.Size}
}

// named says that s means one certain disk.
func (s StorageTemplate) named() bool { return s.ByID != "" || s.Serial != "" }

// Disks says which disk of a machine its system is written to, and which ones
// t's storage templates get, in their order. Disks that a storage template
// names are theirs before the system's is chosen; no disk serves twice. Errors
// wrap ErrInvalid.
func (t Template) Disks(f *Facts) (system Disk, data []Disk, err error) {
	left := slices.Clone(f.Disks)
	data = make([]Disk, len(t.Storage))
	bind := func(named bool) error {
		for i, s := range t.Storage {
			if s.named() != named {
				continue
			}
			d, err := s.hint().choose(left, "storage template "+s.Name)
			if err != nil {
				return fmt.Errorf("%w for storage template %s", err, s.Name)
			}
			data[i] = d
			left = slices.DeleteFunc(left, func(o Disk) bool { return o.Serial == d.Serial })
		}
		return nil
	}
	if err := bind(true); err != nil {
		return system, nil, err
	}
	hint := t.Target
	hint.MinSize = max(hint.MinSize, t.Disk)
	if system, err = hint.Choose(left); err != nil {
		return system, nil, err
	}
	left = slices.DeleteFunc(left, func(o Disk) bool { return o.Serial == system.Serial })
	return system, data, bind(false)
}

// Storing narrows t to the one storage template that a recipe asks for; none
// when name is empty. Errors wrap ErrInvalid.
func (t Template) Storing(name string) (Template, error) {
	if name == "" {
		t.Storage = nil
		return t, nil
	}
	s, ok := t.StorageByName(name)
	if !ok {
		var names []string
		for _, s := range t.Storage {
			names = append(names, s.Name)
		}
		has := "it has none"
		if len(names) > 0 {
			has = "it has " + strings.Join(names, ", ")
		}
		return t, fmt.Errorf("%w: template %s has no storage template %s, which the recipe asks for; %s: add it with appliance template set", ErrInvalid, t.Name, name, has)
	}
	t.Storage = []StorageTemplate{s}
	return t, nil
}

// BoundStorage is the disk that holds an instance's data. Once it is bound,
// its file system is found again by UUID and never made anew.
type BoundStorage struct {
	Name    string `json:"name"` // of the storage template
	Machine string `json:"machine"`
	Serial  string `json:"serial"`
	UUID    string `json:"uuid"`
	Path    string `json:"path"`
	Size    uint64 `json:"size,omitempty"`
}

// StorageUUID names the file system of an instance's data: it tells it from
// any other's, on whatever disk it is seen.
func StorageUUID(instance, name string) string {
	h := sha256.Sum256([]byte("appliance storage\x00" + instance + "\x00" + name))
	u := h[:16]
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80 // RFC 9562, version 8
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

func underAny(p string, dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool { return strings.HasPrefix(p, d+"/") })
}

// StorageByName returns t's storage template with that name.
func (t Template) StorageByName(name string) (StorageTemplate, bool) {
	i := slices.IndexFunc(t.Storage, func(s StorageTemplate) bool { return s.Name == name })
	if i < 0 {
		return StorageTemplate{}, false
	}
	return t.Storage[i], true
}
