package api

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
)

var update = flag.Bool("update", false, "write api/openapi.yaml")

// TestOpenAPI compares the committed description with the code's. It also
// builds the whole API, which panics where an endpoint is declared wrongly.
func TestOpenAPI(t *testing.T) {
	spec, err := new(Server).people(echo.New()).OpenAPI().YAML()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("openapi.yaml", spec, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(spec)); d != "" {
		t.Errorf("openapi.yaml is not what the code says; go test ./api -update; -committed +code:\n%s", d)
	}
}
