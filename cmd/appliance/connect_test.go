package main

import (
	"os"
	"path/filepath"
	"testing"

	"appliance/api/client"
)

// TestLocalAppliance: the command line speaks to the appliance of this host
// where that listens, and gives its token to nobody else.
func TestLocalAppliance(t *testing.T) {
	for _, tt := range []struct{ https, asked, url string }{
		{":8443", "", "https://localhost:8443"},
		{"0.0.0.0:9443", "", "https://localhost:9443"},
		{"[::]:8443", "", "https://localhost:8443"},
		{"10.77.0.1:8443", "", "https://10.77.0.1:8443"},
		{"[fd77::1]:8443", "https://[fd77::1]:8443", "https://[fd77::1]:8443"},
		{"10.77.0.1:8443", "https://10.77.0.2:8443", ""},
	} {
		dir := t.TempDir()
		config := filepath.Join(dir, "appliance.yaml")
		for name, text := range map[string]string{config: "data: " + dir + "\nnetboot: false\nlisten: {https: \"" + tt.https + "\"}\n", adminTokenPath(dir): "secret\n"} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		a := &app{getenv: func(name string) string { return map[string]string{"APPLIANCE_CONFIG": config}[name] }}
		o := client.Options{URL: tt.asked}
		a.fillLocal(&o)
		want := client.Options{URL: tt.url, Token: "secret"}
		if tt.url == "" {
			want = client.Options{URL: tt.asked}
		}
		if o.URL != want.URL || o.Token != want.Token {
			t.Errorf("listening at %s, asked for %q: %q with token %q, want %q with %q", tt.https, tt.asked, o.URL, o.Token, want.URL, want.Token)
		}
	}
}
