package rack_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
	"appliance/rack"
)

// TestSecureBoot: a machine with Secure Boot on, of which nothing is known,
// refuses the unsigned boot program, says nothing, is given the signed chain
// and is inventoried; a second one of its model gets the signed chain at once.
func TestSecureBoot(t *testing.T) {
	bootWorld(t, "secureBoot")
}

// TestSecureARM64 boots an arm64 machine with Secure Boot on: the signed chain
// comes first there, nothing is refused.
func TestSecureARM64(t *testing.T) {
	minutes(t, "secureARM")
}

// TestARM64 boots an arm64 machine to its inventory.
func TestARM64(t *testing.T) {
	bootWorld(t, "armBoot")
}

// TestHTTPBoot boots UEFI machines by HTTP Boot: one by HTTP, and one whose
// firmware holds the appliance's CA by HTTPS.
func TestHTTPBoot(t *testing.T) {
	bootWorld(t, "httpBoot")
}

func bootWorld(t *testing.T, role string) {
	t.Helper()
	e2e(t)
	if os.Getenv("APPLIANCE_BIN") == "" {
		t.Fatal("APPLIANCE_BIN is not set; run make e2e")
	}
	f, code, _ := world(t, role)
	if got := <-code; got != 0 {
		t.Errorf("exit code %d; what went wrong is above", got)
		show(t, filepath.Join(f.Dir, "appliance.log"))
		logs, _ := filepath.Glob(filepath.Join(f.Dir, "m*", "console.log"))
		for _, l := range logs {
			show(t, l)
		}
	}
}

// raised starts an appliance beside a rack of machines, all off.
func raised(ctx context.Context, specs ...rack.Spec) (d *day, end func() error, err error) {
	dir, _ := rack.Inside()
	d = &day{dir: dir, began: time.Now()}
	if d.rack, err = rack.Raise(ctx, rack.Config{Machines: specs}); err != nil {
		return nil, nil, err
	}
	if err := d.start(ctx); err != nil {
		return nil, nil, errors.Join(err, d.rack.Close())
	}
	return d, func() error { return errors.Join(d.kill(), d.rack.Close()) }, nil
}

// inventoried powers a machine on until the appliance has its facts; again
// when its firmware has given up, as its BMC or a person would.
func (d *day) inventoried(ctx context.Context, m *rack.Machine, each time.Duration, tries int) (wire.Machine, error) {
	for range tries {
		if err := m.PowerOff(ctx); err != nil {
			return wire.Machine{}, err
		}
		said := int64(0)
		if info, err := os.Stat(m.ConsoleLog()); err == nil {
			said = info.Size()
		}
		if err := m.PowerOn(ctx); err != nil {
			return wire.Machine{}, err
		}
		for end := time.Now().Add(each); time.Now().Before(end) && !gaveUp(m, said); time.Sleep(time.Second) {
			all, err := d.api.Machines(ctx)
			if err != nil {
				return wire.Machine{}, err
			}
			for _, x := range all {
				if x.Facts != nil && len(x.MACs) > 0 && x.MACs[0].String() == m.MAC() {
					return x, nil
				}
			}
		}
	}
	return wire.Machine{}, fmt.Errorf("%s was not inventoried in %d boots of %s at most", m.Spec.Name, tries, each)
}

// gaveUp says whether a firmware has nothing more to boot, by what it said on
// the console after its first said bytes.
func gaveUp(m *rack.Machine, said int64) bool {
	b, err := os.ReadFile(m.ConsoleLog())
	return err == nil && int64(len(b)) > said && strings.Contains(string(b[said:]), "No bootable option or device was found")
}

func secureBoot(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 45*time.Minute)
	defer cancel()
	d, end, err := raised(ctx,
		rack.Spec{Firmware: rack.SecureUEFI, MemoryMB: 1024, Boot: rack.BootPXE, NoBMC: true},
		rack.Spec{Firmware: rack.SecureUEFI, MemoryMB: 1024, Boot: rack.BootPXE, NoBMC: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	for i, tries := range []int{3, 1} {
		m := d.rack.Machines[i]
		got, err := d.inventoried(ctx, m, 12*time.Minute, tries)
		if err != nil {
			return err
		}
		if !got.Facts.SecureBoot || got.Facts.Firmware != pool.UEFI {
			return fmt.Errorf("%s: facts say firmware %s, Secure Boot %t", m.Spec.Name, got.Facts.Firmware, got.Facts.SecureBoot)
		}
		console, err := os.ReadFile(m.ConsoleLog())
		if err != nil {
			return err
		}
		if !strings.Contains(string(console), "Secure boot enabled") {
			return fmt.Errorf("%s: the kernel did not say that Secure Boot is enabled", m.Spec.Name)
		}
		if refused := strings.Contains(string(console), "Access Denied"); refused != (i == 0) {
			return fmt.Errorf("%s: the firmware refused a program: %t; only the first of a model should meet that", m.Spec.Name, refused)
		}
		if err := m.PowerOff(ctx); err != nil {
			return err
		}
	}
	return nil
}

func armBoot(ctx context.Context) error   { return bootARM(ctx, rack.ARM64) }
func secureARM(ctx context.Context) error { return bootARM(ctx, rack.SecureARM64) }

func bootARM(ctx context.Context, firmware rack.Firmware) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 25*time.Minute)
	defer cancel()
	d, end, err := raised(ctx, rack.Spec{Firmware: firmware, MemoryMB: 1024, Boot: rack.BootPXE, NoBMC: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	got, err := d.inventoried(ctx, d.rack.Machines[0], 12*time.Minute, 2)
	if err != nil {
		return err
	}
	if got.Facts.Arch != "arm64" || got.Facts.Firmware != pool.UEFI {
		return fmt.Errorf("facts say architecture %s, firmware %s", got.Facts.Arch, got.Facts.Firmware)
	}
	if secure := firmware == rack.SecureARM64; got.Facts.SecureBoot != secure {
		return fmt.Errorf("facts say Secure Boot %t, want %t", got.Facts.SecureBoot, secure)
	}
	console, err := os.ReadFile(d.rack.Machines[0].ConsoleLog())
	if err != nil {
		return err
	}
	if firmware == rack.SecureARM64 && !strings.Contains(string(console), "Kernel is locked down from EFI Secure Boot") {
		return errors.New("the kernel did not say that it is locked down by Secure Boot")
	}
	return nil
}

func httpBoot(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Minute)
	defer cancel()
	dir, _ := rack.Inside()
	trust := filepath.Join(dir, "cacerts")
	d, end, err := raised(ctx,
		rack.Spec{Firmware: rack.UEFI, Boot: rack.BootPXE, NetBoot: rack.NetHTTP, NoBMC: true},
		rack.Spec{Firmware: rack.UEFI, Boot: rack.BootPXE, NetBoot: rack.NetHTTP, NoBMC: true, TrustTLS: trust})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	out, err := d.cli(ctx, "boot", "ca", "--der", "--config", filepath.Join(dir, "appliance.yaml"))
	if err != nil {
		return fmt.Errorf("boot ca: %w: %s", err, out)
	}
	if err := os.WriteFile(trust, signatureList([]byte(out)), 0o644); err != nil {
		return err
	}
	for i, url := range []string{"http://10.77.0.1:8080/kit/snponly.efi", "https://10.77.0.1:8444/kit/snponly.efi"} {
		if i == 1 {
			if out, err := d.cli(ctx, "boot", "path", "set", "nic 02:00:00", "efi-x64-http", "snponly.efi", "--tls"); err != nil {
				return fmt.Errorf("boot path set: %w: %s", err, out)
			}
		}
		m := d.rack.Machines[i]
		if _, err := d.inventoried(ctx, m, 6*time.Minute, 1); err != nil {
			return err
		}
		console, err := os.ReadFile(m.ConsoleLog())
		if err != nil {
			return err
		}
		if !strings.Contains(string(console), "URI: "+url) || strings.Contains(string(console), "Start PXE") {
			return fmt.Errorf("%s did not boot by %s", m.Spec.Name, url)
		}
		if err := m.PowerOff(ctx); err != nil {
			return err
		}
	}
	return nil
}

// signatureList is a certificate as EDK2 keeps those that it trusts
// (EFI_SIGNATURE_LIST of EFI_CERT_X509_GUID; UEFI 2.10, 32.4.1).
func signatureList(der []byte) []byte {
	x509 := []byte{0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72}
	entry := append(make([]byte, 16), der...) // the owner is nobody
	b := binary.LittleEndian.AppendUint32(x509, uint32(28+len(entry)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(entry)))
	return append(b, entry...)
}
