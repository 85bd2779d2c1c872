package api

import (
	"net/http"
	"strings"
	"testing"

	"appliance/pool"
)

type fakePaths struct{ models []pool.BootModel }

func (f *fakePaths) Models() []pool.BootModel { return f.models }
func (f *fakePaths) Of(pool.MAC) (string, string, pool.BootPath, bool) {
	return "Dell R640", "efi-x64", pool.BootPath{NBP: "snponly.efi", Files: "http"}, true
}
func (f *fakePaths) Times(pool.MAC) map[pool.BootStage]pool.StageTime { return nil }
func (f *fakePaths) Pin(model, class string, p pool.BootPath) error {
	if p.NBP == "bad" {
		return pool.ErrInvalid
	}
	f.models = append(f.models, pool.BootModel{Key: model, Class: class, Paths: []pool.PathRecord{{Path: p, Pinned: true}}})
	return nil
}
func (f *fakePaths) Import(m []pool.BootModel) error {
	f.models = m
	return nil
}

func TestBootPaths(t *testing.T) {
	r := newRig(t)
	if code, body, _ := r.raw("GET", "/api/v1/boot/paths", r.tokens[pool.Viewer], nil, nil); code != 503 {
		t.Errorf("without netboot = %d %s, want 503", code, body)
	}
	r.Paths = &fakePaths{}
	pin := `{"model":"Dell R640","class":"efi-x64","path":{"nbp":"shimx64.efi","files":"tftp"}}`
	for _, tt := range []struct {
		method, path, body string
		role               pool.Role
		code               int
		want               string
	}{
		{"GET", "/api/v1/boot/paths", "", pool.Viewer, 200, `"models":[]`},
		{"POST", "/api/v1/boot/paths/pin", pin, pool.Viewer, 403, ""},
		{"POST", "/api/v1/boot/paths/pin", pin, pool.Operator, 200, `"pinned":true`},
		{"POST", "/api/v1/boot/paths/pin", strings.Replace(pin, "shimx64.efi", "bad", 1), pool.Operator, 400, ""},
		{"POST", "/api/v1/boot/paths/pin", strings.Replace(pin, "efi-x64", "vax", 1), pool.Operator, 400, ""},
		{"POST", "/api/v1/boot/paths", `{"models":[]}`, pool.Operator, 200, `"models":[]`},
	} {
		code, body, _ := r.raw(tt.method, tt.path, r.tokens[tt.role], strings.NewReader(tt.body), nil)
		if code != tt.code && !(tt.code == 400 && code == 422) || !strings.Contains(strings.ReplaceAll(body, "null", "[]"), tt.want) {
			t.Errorf("%s %s as %s = %d %s, want %d with %s", tt.method, tt.path, tt.role, code, body, tt.code, tt.want)
		}
	}
}

func TestMetricsWantAToken(t *testing.T) {
	r := newRig(t)
	r.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("up 1\n")) })
	if code, _, _ := r.raw("GET", "/metrics", "", nil, nil); code != 401 {
		t.Errorf("without a token = %d, want 401", code)
	}
	if code, body, _ := r.raw("GET", "/metrics", r.tokens[pool.Viewer], nil, nil); code != 200 || body != "up 1\n" {
		t.Errorf("as viewer = %d %q", code, body)
	}
}
