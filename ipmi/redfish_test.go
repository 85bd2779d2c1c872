package ipmi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"appliance/ipmi"
	"appliance/pool"
)

// standIn is a small Redfish service (DSP0266): one system, sessions, orders.
type standIn struct {
	chassis *chassis
	wait    chan struct{} // not nil: the system's page waits for its end
	refuse  int           // status of each order, 0 accepts

	mu       sync.Mutex
	sessions map[string]bool
	made     int
	boot     map[string]any
	uuid     string
}

const (
	rfSessions = "/redfish/v1/SessionService/Sessions"
	rfSystem   = "/redfish/v1/Systems/1"
	rfReset    = rfSystem + "/Actions/ComputerSystem.Reset"
)

// ServeHTTP implements http.Handler.
func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimSuffix(r.URL.Path, "/")
	if path != "/redfish/v1" && (r.Method != http.MethodPost || path != rfSessions) && !s.sessions[r.Header.Get("X-Auth-Token")] {
		http.Error(w, `{}`, http.StatusUnauthorized)
		return
	}
	switch {
	case path == "/redfish/v1":
		s.reply(w, map[string]any{"@odata.id": "/redfish/v1/", "Id": "RootService", "RedfishVersion": "1.6.0",
			"Links": ref("Sessions", rfSessions), "Systems": map[string]any{"@odata.id": "/redfish/v1/Systems"}})
	case path == rfSessions && r.Method == http.MethodPost:
		s.login(w, r)
	case strings.HasPrefix(path, rfSessions+"/") && r.Method == http.MethodDelete:
		delete(s.sessions, strings.TrimPrefix(path, rfSessions+"/"))
		w.WriteHeader(http.StatusNoContent)
	case strings.HasPrefix(path, rfSessions+"/"):
		s.reply(w, map[string]any{"@odata.id": path, "Id": "s"})
	case path == "/redfish/v1/Systems":
		s.reply(w, map[string]any{"@odata.id": path, "Members": []any{map[string]any{"@odata.id": rfSystem}}, "Members@odata.count": 1})
	case path == rfSystem && r.Method == http.MethodPatch:
		s.setBoot(w, r)
	case path == rfSystem:
		s.system(w, r)
	case path == rfReset:
		s.order(w, r)
	default:
		http.NotFound(w, r)
	}
}

func ref(name, id string) map[string]any {
	return map[string]any{name: map[string]any{"@odata.id": id}}
}

func (s *standIn) reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that has gone is its own business
}

func (s *standIn) login(w http.ResponseWriter, r *http.Request) {
	var who struct{ UserName, Password string }
	if err := json.NewDecoder(r.Body).Decode(&who); err != nil || who.UserName != "admin" || who.Password != password {
		http.Error(w, `{"error":{"code":"x","message":"no"}}`, http.StatusUnauthorized)
		return
	}
	s.made++
	id := fmt.Sprint(s.made)
	s.sessions[id] = true
	w.Header().Set("X-Auth-Token", id)
	w.Header().Set("Location", rfSessions+"/"+id)
	w.WriteHeader(http.StatusCreated)
	s.reply(w, map[string]any{"@odata.id": rfSessions + "/" + id, "Id": id})
}

func (s *standIn) system(w http.ResponseWriter, r *http.Request) {
	if s.wait != nil {
		s.mu.Unlock()
		select {
		case <-s.wait:
		case <-r.Context().Done():
		}
		s.mu.Lock()
		if r.Context().Err() != nil { // an answer could still reach a caller who is about to leave
			panic(http.ErrAbortHandler)
		}
	}
	on, err := s.chassis.PowerState(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.reply(w, map[string]any{"@odata.id": rfSystem, "Id": "1", "UUID": s.uuid, "PowerState": map[bool]string{true: "On", false: "Off"}[on],
		"Boot": map[string]any{"BootSourceOverrideTarget": "None"},
		"Actions": map[string]any{"#ComputerSystem.Reset": map[string]any{"target": rfReset,
			"ResetType@Redfish.AllowableValues": []string{"On", "ForceOff", "GracefulShutdown", "ForceRestart", "PowerCycle"}}}})
}

func (s *standIn) order(w http.ResponseWriter, r *http.Request) {
	var body struct{ ResetType string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || s.refuse != 0 {
		http.Error(w, `{"error":{"code":"x","message":"no"}}`, max(s.refuse, http.StatusBadRequest))
		return
	}
	names := map[string]string{"On": "on", "ForceOff": "off", "GracefulShutdown": "soft", "ForceRestart": "reset"}
	s.chassis.order(names[body.ResetType], body.ResetType == "On" || body.ResetType == "ForceRestart")
	w.WriteHeader(http.StatusNoContent)
}

func (s *standIn) setBoot(w http.ResponseWriter, r *http.Request) {
	var body struct{ Boot map[string]any }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || s.refuse != 0 {
		http.Error(w, `{}`, max(s.refuse, http.StatusBadRequest))
		return
	}
	s.boot = body.Boot
	w.WriteHeader(http.StatusNoContent)
}

// left counts the sessions that were not given back.
func (s *standIn) left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// serve starts s with a certificate of its own.
func serve(t *testing.T, s *standIn) pool.BMC {
	t.Helper()
	s.sessions = map[string]bool{}
	srv := httptest.NewTLSServer(s)
	t.Cleanup(srv.Close)
	at := netip.MustParseAddrPort(srv.Listener.Addr().String())
	return pool.BMC{Address: at.Addr(), Port: int(at.Port()), Protocol: "redfish", User: "admin", Password: pool.NewSecret(password)}
}

func TestRedfishPower(t *testing.T) {
	for _, tt := range []struct {
		name   string
		on     bool
		do     pool.PowerAction
		orders []string
		then   bool
	}{
		{"on", false, pool.DoPowerOn, []string{"on"}, true},
		{"already on", true, pool.DoPowerOn, nil, true},
		{"off", true, pool.DoPowerOff, []string{"off"}, false},
		{"soft", true, pool.DoPowerSoft, []string{"soft"}, false},
		{"cycle", true, pool.DoPowerCycle, []string{"off", "on"}, true},
		{"reset", true, pool.DoPowerReset, []string{"reset"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &standIn{chassis: &chassis{on: tt.on, delay: 20 * time.Millisecond}}
			at := serve(t, s)
			wantFault(t, "SetPower", controller().SetPower(t.Context(), at, tt.do), nil)
			if got := s.chassis.seen(); !slices.Equal(got, tt.orders) {
				t.Errorf("orders = %v, want %v", got, tt.orders)
			}
			want := map[bool]pool.Power{true: pool.PowerOn, false: pool.PowerOff}[tt.then]
			if got, err := controller().PowerState(t.Context(), at); err != nil || got != want {
				t.Errorf("PowerState = %s, %v, want %s", got, err, want)
			}
			if s.left() != 0 || s.made != 2 {
				t.Errorf("%d of %d sessions were not given back", s.left(), s.made)
			}
		})
	}
}

func TestRedfishBootDevice(t *testing.T) {
	s := &standIn{chassis: &chassis{}}
	at := serve(t, s)
	for device, want := range map[pool.BootDevice]string{pool.BootPXE: "Pxe", pool.BootDisk: "Hdd", pool.BootNone: "None"} {
		wantFault(t, "SetBootDevice", controller().SetBootDevice(t.Context(), at, device, pool.UEFI), nil)
		if s.boot["BootSourceOverrideTarget"] != want || s.boot["BootSourceOverrideEnabled"] != "Once" || s.boot["BootSourceOverrideMode"] != "UEFI" {
			t.Errorf("boot device %s = %v, want %s once by UEFI", device, s.boot, want)
		}
	}
}

// A BMC that is not the one that was enrolled switches nothing.
func TestRedfishIdentity(t *testing.T) {
	s := &standIn{chassis: &chassis{on: true}, uuid: "4C4C4544-0042-3510-8036-C3C04F4E4D32"}
	at := serve(t, s)
	guid, err := controller().GUID(t.Context(), at)
	if err != nil || guid != "redfish-4c4c4544004235108036c3c04f4e4d32" {
		t.Fatalf("GUID = %q, %v", guid, err)
	}
	at.GUID = guid
	wantFault(t, "the same", controller().SetPower(t.Context(), at, pool.DoPowerReset), nil)
	s.uuid = "4c4c4544-0042-3510-8036-c3c04f4e4d33" // an address that another machine's BMC has now
	wantFault(t, "another: check", controller().Check(t.Context(), at), ipmi.ErrIdentity)
	wantFault(t, "another: power", controller().SetPower(t.Context(), at, pool.DoPowerOff), ipmi.ErrIdentity)
	wantFault(t, "another: boot device", controller().SetBootDevice(t.Context(), at, pool.BootPXE, pool.BIOS), ipmi.ErrIdentity)
	if got := s.chassis.seen(); !slices.Equal(got, []string{"reset"}) || s.boot != nil {
		t.Errorf("orders = %v, boot device %v", got, s.boot)
	}
	at.GUID = "44454c4c420010358036c3c04f4e4d32" // told in-band: in whatever order
	wantFault(t, "told in-band", controller().Check(t.Context(), at), nil)
	for _, none := range []string{"", "00000000-0000-0000-0000-000000000000", "unknown"} {
		s.uuid, at.GUID = none, guid
		wantFault(t, "a UUID "+none, controller().Check(t.Context(), at), nil)
		if got, err := controller().GUID(t.Context(), at); err != nil || got != "" {
			t.Errorf("UUID %q: GUID %q, %v", none, got, err)
		}
	}
}

func TestRedfishFaults(t *testing.T) {
	s := &standIn{chassis: &chassis{on: true}}
	at := serve(t, s)
	wrong := at
	wrong.Password = pool.NewSecret("wrong")
	wantFault(t, "a wrong password", controller().Check(t.Context(), wrong), ipmi.ErrAuth)
	for status, fault := range map[int]error{http.StatusBadRequest: ipmi.ErrUnsupported, http.StatusMethodNotAllowed: ipmi.ErrUnsupported,
		http.StatusNotImplemented: ipmi.ErrUnsupported, http.StatusForbidden: ipmi.ErrAuth, http.StatusServiceUnavailable: ipmi.ErrUnreachable} {
		s.refuse = status
		wantFault(t, fmt.Sprint("order answered ", status), controller().SetPower(t.Context(), at, pool.DoPowerOff), fault)
	}
	s.refuse = http.StatusBadRequest
	wantFault(t, "boot device", controller().SetBootDevice(t.Context(), at, pool.BootPXE, pool.BIOS), ipmi.ErrUnsupported)
	s.wait = make(chan struct{})
	defer close(s.wait)
	slow := &ipmi.Controller{Timeout: 200 * time.Millisecond}
	wantFault(t, "a silent service", slow.Check(t.Context(), at), ipmi.ErrUnreachable)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if err := controller().Check(ctx, at); !errors.Is(err, context.Canceled) {
		t.Errorf("Check of a caller who left = %v, want %v", err, context.Canceled)
	}
	if n := s.left(); n != 0 {
		t.Errorf("%d sessions were not given back", n)
	}
	plain := httptest.NewTLSServer(http.NotFoundHandler())
	defer plain.Close()
	at.Port = int(netip.MustParseAddrPort(plain.Listener.Addr().String()).Port())
	wantFault(t, "no Redfish at all", controller().Check(t.Context(), at), ipmi.ErrUnsupported)
	plain.Close()
	wantFault(t, "nobody listens", controller().Check(t.Context(), at), ipmi.ErrUnreachable)
}
