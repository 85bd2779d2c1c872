package pool

import (
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
	// DeleteOnExit erases the file system when the service is removed for
	// good with its data; else the disk stays protected.
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
