package ipmi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A BMC that sends without end fills no memory.
func TestAnswerBounded(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for b := make([]byte, 64<<10); ; {
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	w := &wire{base: http.DefaultTransport}
	w.begin(t.Context())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, answer.Body)
	if n != maxBody || err != nil {
		t.Errorf("read %d bytes, %v; want %d", n, err, maxBody)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
}
