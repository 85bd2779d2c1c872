package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"appliance/api/wire"
	"appliance/pool"
)

// HomeVariable names the folder that holds everything of an agent on a host
// that was adopted: etc for identity and key, state for journal and recipes.
// Unset, the agent is where an image has it.
const HomeVariable = "APPLIANCE_AGENT_HOME"

// HomeAt returns the Home in a folder of its own; the zero Home when dir is empty.
func HomeAt(dir string) Home {
	if dir == "" {
		return Home{}
	}
	return Home{Config: filepath.Join(dir, "etc"), State: filepath.Join(dir, "state")}
}

// Offer makes a new key on this host, in place of an older one, and writes
// the request for its certificate to w. The key never leaves the host.
func (h Home) Offer(w io.Writer) error {
	key, err := NewKey()
	if err != nil {
		return err
	}
	text, err := key.PEM()
	if err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(h.config("."), 0o700), os.MkdirAll(h.state("."), 0o700)); err != nil {
		return fmt.Errorf("make agent's folders: %w", err)
	}
	if err := os.Remove(h.config("identity.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove older identity: %w", err) // it was of the older key
	}
	if err := writeSynced(h.config("key.pem"), text); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	csr, err := key.Request("")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, csr)
	return err
}

// maxIdentity bounds what an identity may be long.
const maxIdentity = 64 << 10

// Adopt reads the identity that the appliance issued for this host's key, and
// keeps it. Errors wrap pool.ErrInvalid when it is of another key.
func (h Home) Adopt(r io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(r, maxIdentity))
	if err != nil {
		return fmt.Errorf("read identity: %w", err)
	}
	var id wire.Identity
	if err := json.Unmarshal(b, &id); err != nil {
		return fmt.Errorf("%w: read identity: %v", pool.ErrInvalid, err)
	}
	text, err := os.ReadFile(h.config("key.pem"))
	if err != nil {
		return fmt.Errorf("read key: %w", err)
	}
	key, err := ParseKey(text)
	if err != nil {
		return err
	}
	if _, err := key.Certificate(id.Certificate); err != nil {
		return err
	}
	if _, err := NewClient(id.Server, id.CA); err != nil {
		return err
	}
	return writeSynced(h.config("identity.json"), b)
}
