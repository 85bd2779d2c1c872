package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"appliance/pool"
	"appliance/store"
)

// inBackup are the files of the data folder that a backup holds, beside the
// database: without the keys nothing sealed could be read again, and agents
// would not trust a new CA. Images and packages can be made again.
var inBackup = [...]string{"seal.key", "ca/ca.pem", "ca/ca-key.pem"}

// mayBeInBackup are those that not every appliance has: the first token's, as
// long as nobody deleted it (the database knows only the token's hash, and
// would let nobody in on another host), and the CA that firmware was given.
var mayBeInBackup = [...]string{"admin.token", "ca/firmware-ca.pem", "ca/firmware-ca-key.pem"}

func (a *app) backupCmd() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Write database, keys and CA of this host's appliance to one file",
		Long: "backup may run while the appliance serves. The file holds keys: keep it as you keep\n" +
			"passwords. Images and packages are not in it; they can be built again.",
		Example: "  appliance backup appliance-2026-11-22.tar.gz",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(path)
			if err != nil {
				return err
			}
			if err := backup(cmd.Context(), c.Data, args[0]); err != nil {
				return fmt.Errorf("back up %s: %w", c.Data, err)
			}
			_, err = fmt.Fprintln(a.stdout, args[0])
			return err
		},
	}
	cmd.Flags().StringVar(&path, "config", first(a.getenv("APPLIANCE_CONFIG"), defaultConfig), "configuration `FILE`")
	return cmd
}

func backup(ctx context.Context, data, out string) (err error) {
	dir, err := os.MkdirTemp("", "appliance-backup-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := store.Copy(ctx, data, filepath.Join(dir, store.File)); err != nil {
		return err
	}
	f, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %s exists", pool.ErrConflict, out)
	}
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(out) // half a backup is none
		}
	}()
	z := gzip.NewWriter(f)
	t := tar.NewWriter(z)
	if err := addFile(t, filepath.Join(dir, store.File), store.File); err != nil {
		return err
	}
	for _, name := range inBackup {
		if err := addFile(t, filepath.Join(data, name), name); err != nil {
			return err
		}
	}
	for _, name := range mayBeInBackup {
		if err := addFile(t, filepath.Join(data, name), name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return errors.Join(t.Close(), z.Close(), f.Sync())
}

func addFile(t *tar.Writer, path, name string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size(), ModTime: info.ModTime()}); err != nil {
		return err
	}
	_, err = io.Copy(t, f)
	return err
}

func (a *app) restoreCmd() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Put a backup in place; the appliance must be stopped",
		Long: "restore checks the backup before it changes anything, and keeps what was there beside it\n" +
			"with the suffix .before-restore- and the time.",
		Example: "  systemctl stop appliance\n  appliance restore appliance-2026-11-22.tar.gz\n  systemctl start appliance",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(path)
			if err != nil {
				return err
			}
			if err := restore(cmd.Context(), c.Data, args[0]); err != nil {
				return fmt.Errorf("restore %s: %w", args[0], err)
			}
			_, err = fmt.Fprintf(a.stdout, "restored to %s\n", c.Data)
			return err
		},
	}
	cmd.Flags().StringVar(&path, "config", first(a.getenv("APPLIANCE_CONFIG"), defaultConfig), "configuration `FILE`")
	return cmd
}

func restore(ctx context.Context, data, from string) (err error) {
	dir, err := os.MkdirTemp("", "appliance-restore-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := unpackBackup(from, dir); err != nil {
		return err
	}
	// A suffix of its own: a restore that was cut off and is run again must not
	// lay what it had restored over what was there first.
	suffix := time.Now().UTC().Format(".before-restore-20060102T150405.000Z")
	// The database goes first: it is checked, and refused while an appliance runs.
	if err := store.Restore(ctx, data, filepath.Join(dir, store.File), suffix); err != nil {
		return err
	}
	for _, name := range slices.Concat(inBackup[:], mayBeInBackup[:]) {
		to := filepath.Join(data, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.Rename(to, to+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		err := copyFile(filepath.Join(dir, name), to, 0o600)
		if err != nil && !(optional(name) && errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	return nil
}

func optional(name string) bool { return slices.Contains(mayBeInBackup[:], name) }

// unpackBackup writes the files of a backup to dir, and no others.
func unpackBackup(from, dir string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	notOurs := func(why any) error {
		return fmt.Errorf("%w: it is no backup of an appliance: %v", pool.ErrInvalid, why)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return notOurs(err)
	}
	missing := slices.Concat([]string{store.File}, mayBeInBackup[:], inBackup[:])
	if err := os.Mkdir(filepath.Join(dir, "ca"), 0o700); err != nil {
		return err
	}
	t := tar.NewReader(z)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return notOurs(err)
		}
		i := slices.Index(missing, h.Name)
		if i < 0 {
			return notOurs("it holds " + strconv.Quote(h.Name) + ", or twice")
		}
		missing = slices.Delete(missing, i, i+1)
		out, err := os.OpenFile(filepath.Join(dir, h.Name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return notOurs(err)
		}
		_, err = io.Copy(out, t)
		if err := errors.Join(err, out.Close()); err != nil {
			return notOurs(err)
		}
	}
	if missing = slices.DeleteFunc(missing, optional); len(missing) > 0 {
		return notOurs("it lacks " + missing[0])
	}
	return nil
}
