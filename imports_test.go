// Package appliance has only tests: of what may import what.
package appliance

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport is the table of docs/DESIGN.md, "Packages and arrows": what each
// package may import of ours. A package that is absent may not exist.
var mayImport = map[string][]string{
	"pool":                 {},
	"store":                {"pool", "store/migrations"},
	"store/migrations":     {},
	"store/storetest":      {"pool"},
	"dhcp":                 {"pool"},
	"dns":                  {},
	"tftp":                 {},
	"ipmi":                 {"pool"},
	"images":               {"pool"},
	"images/kit":           {},
	"images/kit/build":     {"images/kit", "images/debian/apt"},
	"images/debian":        {"pool", "images/debian/apt"},
	"images/debian/apt":    {},
	"recipes":              {"recipes/groovy", "recipes/ant", "recipes/sql", "recipes/xml"},
	"recipes/ant":          {"recipes/groovy"},
	"recipes/groovy":       {},
	"recipes/sql":          {"recipes/groovy"},
	"recipes/xml":          {"recipes/groovy"},
	"recipes/shipped":      {},
	"orchestrator":         {"pool", "recipes", "orchestrator/compute"},
	"orchestrator/compute": {"pool"},
	"agent":                {"pool", "api/wire", "api/client", "recipes", "recipes/groovy"},
	"api":                  {"pool", "api/wire"},
	"api/wire":             {"pool"},
	"api/client":           {"pool", "api/wire"},
	"ui":                   {},
	"rack":                 {"pool", "api/wire", "api/client", "agent"},
	"rack/sim":             {"pool", "api/wire", "api/client", "agent"},
	"cmd/appliance":        {"*"},
	"cmd/appliance-agent":  {"agent"},
	"cmd/bootkit":          {"images/kit", "images/kit/build", "images/debian"},
	"bench/cmd/tftpserve":  {"tftp"},
	"bench/cmd/tftpload":   {},
	"bench/cmd/dhcpload":   {},
	"bench/cmd/dhcpserve":  {"dhcp", "pool", "store"},
	"bench/cmd/httpload":   {},
	"bench/cmd/bootserve":  {"images", "orchestrator", "pool", "store"},
	"cmd/rack":             {"rack", "pool", "api/wire", "api/client"},

	"orchestrator/compute/drivertest": {"pool"},
}

type listed struct {
	ImportPath string
	Imports    []string
	Standard   bool
	CgoFiles   []string
	Module     *struct{ Path string }
}

func goList(t *testing.T, env []string, args ...string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Imports,Standard,CgoFiles,Module"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImports(t *testing.T) {
	for _, p := range goList(t, nil, "./...") {
		name := strings.TrimPrefix(p.ImportPath, "appliance/")
		if p.ImportPath == "appliance" {
			continue
		}
		allowed, ok := mayImport[name]
		if !ok {
			t.Errorf("package %s is not in the table of docs/DESIGN.md", name)
			continue
		}
		for _, imp := range p.Imports {
			of, ours := strings.CutPrefix(imp, "appliance/")
			if ours && !slices.Contains(allowed, of) && !slices.Contains(allowed, "*") {
				t.Errorf("%s imports %s", name, of)
			}
			if name == "pool" && strings.Contains(strings.Split(imp, "/")[0], ".") {
				t.Errorf("pool imports %s; it may use the standard library only", imp)
			}
			if imp == "appliance/recipes/shipped" && name != "cmd/appliance" {
				t.Errorf("%s imports recipes/shipped; only cmd/appliance may", name)
			}
		}
	}
}

// TestAgentClosure: the agent is static and small: no cgo, no web framework.
func TestAgentClosure(t *testing.T) {
	for _, p := range goList(t, []string{"CGO_ENABLED=0"}, "-deps", "./cmd/appliance-agent") {
		if len(p.CgoFiles) > 0 && !p.Standard {
			t.Errorf("the agent needs cgo: %s", p.ImportPath)
		}
		if p.Module != nil && strings.Contains(p.Module.Path, "labstack/echo") {
			t.Errorf("the agent contains Echo: %s", p.ImportPath)
		}
	}
}
