package pool

import "time"

// BootPath is one way of getting the agent onto a machine.
type BootPath struct {
	// NBP is the network boot program, a file of the boot kit.
	NBP string `json:"nbp"`
	// Files is how the program fetches what comes after it: "http" or "tftp".
	Files string `json:"files"`
	// Block and Window bound TFTP for this model; 0 is no bound.
	Block  int `json:"block,omitempty"`
	Window int `json:"window,omitempty"`
	// TLS: UEFI HTTP Boot fetches the program by HTTPS; its firmware has to hold our CA.
	TLS bool `json:"tls,omitempty"`
}

// Protocols by which a boot program fetches files.
const (
	FilesHTTP = "http"
	FilesTFTP = "tftp"
)

// PathRecord is what a way of booting has come to on one model.
type PathRecord struct {
	Path       BootPath  `json:"path"`
	Worked     int       `json:"worked"`
	Failed     int       `json:"failed"`
	LastWorked time.Time `json:"lastWorked,omitzero"`
	LastFailed time.Time `json:"lastFailed,omitzero"`
	Cause      string    `json:"cause,omitempty"` // of the last failure
	// Unfetched: at the last failure the boot program was not even asked for.
	Unfetched bool `json:"unfetched,omitempty"`
	// Pinned: a person chose it. It is taken whatever came of it.
	Pinned bool `json:"pinned,omitempty"`
}

// BootModel is what was learned of one kind of machine as one kind of client.
type BootModel struct {
	// Key names vendor, product, firmware and network card, or the first half
	// of the MAC of machines whose inventory is not known yet.
	Key   string       `json:"key"`
	Class string       `json:"class"` // of the client: Client.Class
	Paths []PathRecord `json:"paths"`
	// Stages says how long the step that leads to a stage takes.
	Stages map[BootStage]StageTime `json:"stages,omitempty"`
}

// StageTime is how long a stage takes on a model: a smoothed mean, and the
// longest of late, which fades.
type StageTime struct {
	Count int           `json:"count"`
	Mean  time.Duration `json:"mean"`
	Max   time.Duration `json:"max"`
}

// Add takes one more observation into account.
func (s StageTime) Add(d time.Duration) StageTime {
	if s.Count == 0 {
		return StageTime{1, d, d}
	}
	s.Count++
	s.Mean += (d - s.Mean) / time.Duration(min(s.Count, 8))
	s.Max = max(d, s.Max-(s.Max-s.Mean)/16)
	return s
}

// Client classes: what decides which boot programs can run at all.
const (
	ClassBIOS         = "bios"
	ClassEFIx64       = "efi-x64"
	ClassEFIx64HTTP   = "efi-x64-http"
	ClassEFIARM64     = "efi-arm64"
	ClassEFIARM64HTTP = "efi-arm64-http"
)

// Class says what kind of client c is, "" for one that no boot program of ours
// runs on.
func (c Client) Class() string {
	switch c.Arch {
	case ArchBIOS, ArchUnspecified:
		return ClassBIOS
	case ArchEFIx64, ArchEFIx64Alt, ArchEFIx64HTTP, ArchEFIx64HTTPAlt:
		if c.HTTP {
			return ClassEFIx64HTTP
		}
		return ClassEFIx64
	case ArchEFIARM64, ArchEFIARM64HTTP:
		if c.HTTP {
			return ClassEFIARM64HTTP
		}
		return ClassEFIARM64
	}
	return ""
}

// ModelKey names the kind of a machine. Without facts it is the maker of its
// network card, as the MAC tells.
func ModelKey(mac MAC, f *Facts) string {
	if f == nil || f.Manufacturer == "" && f.Product == "" {
		return "nic " + mac.String()[:8]
	}
	key := f.Manufacturer + " " + f.Product
	if f.FirmwareName != "" {
		key += " / " + f.FirmwareName
	}
	for _, n := range f.NICs {
		if n.MAC == mac && n.Driver != "" {
			key += " / " + n.Driver
		}
	}
	return key
}
