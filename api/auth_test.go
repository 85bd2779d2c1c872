package api

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"appliance/api/wire"
	"appliance/pool"
)

// needs is who may call what; an endpoint that is not here fails the test.
var needs = map[string]pool.Role{
	"overview": pool.Viewer, "version": pool.Viewer, "subnets": pool.Viewer, "leases": pool.Viewer, "reservations": pool.Viewer, "reserve": pool.Operator, "unreserve": pool.Operator,
	"releaseLease": pool.Operator, "reloadConfig": pool.Admin, "events": pool.Viewer, "stream": pool.Viewer,
	"machines": pool.Viewer, "machine": pool.Viewer, "boot": pool.Viewer, "bootPaths": pool.Viewer, "pinBootPath": pool.Operator, "importBootPaths": pool.Operator, "machineLog": pool.Viewer, "consoleLog": pool.Viewer,
	"accept": pool.Operator, "release": pool.Operator, "retry": pool.Operator, "cancel": pool.Operator, "power": pool.Operator,
	"inspect": pool.Operator, "wipe": pool.Operator, "image": pool.Operator, "retire": pool.Operator,
	"services": pool.Viewer, "service": pool.Viewer, "serviceLogs": pool.Viewer,
	"deploy": pool.Operator, "remove": pool.Operator, "retryService": pool.Operator, "reinstallService": pool.Operator, "takeAsDone": pool.Operator, "attribute": pool.Operator,
	"applications": pool.Viewer, "application": pool.Viewer, "deployApplication": pool.Operator, "removeApplication": pool.Operator, "updateApplication": pool.Operator, "undoApplication": pool.Operator, "maintainApplication": pool.Operator, "endApplicationMaintenance": pool.Operator, "plan": pool.Viewer,
	"revisions": pool.Viewer, "updateService": pool.Operator, "steerRollout": pool.Operator,
	"scale": pool.Operator, "scaling": pool.Viewer, "invoke": pool.Operator, "invocation": pool.Viewer, "readings": pool.Viewer, "samples": pool.Viewer,
	"attributes": pool.Viewer, "getAttribute": pool.Operator, "setAttribute": pool.Operator, "removeAttribute": pool.Operator,
	"healing": pool.Viewer, "stopHealing": pool.Operator, "resumeHealing": pool.Operator, "recoverService": pool.Operator, "fence": pool.Operator,
	"maintainMachine": pool.Operator, "endMachineMaintenance": pool.Operator, "maintainService": pool.Operator, "endServiceMaintenance": pool.Operator,
	"recipes": pool.Viewer, "recipe": pool.Viewer, "uploadRecipe": pool.Operator,
	"hosts": pool.Viewer, "host": pool.Viewer, "addHosts": pool.Operator, "removeHost": pool.Operator,
	"templates": pool.Viewer, "template": pool.Viewer, "putTemplate": pool.Operator,
	"images": pool.Viewer, "uploadImage": pool.Admin, "deleteImage": pool.Admin,
	"login": anyone, "session": pool.Viewer, "logout": pool.Viewer,
	"tokens": pool.Admin, "createToken": pool.Admin, "deleteToken": pool.Admin,
}

func TestAuthMatrix(t *testing.T) {
	r := newRig(t)
	seen := map[string]bool{}
	for path, item := range new(Server).people(echo.New()).OpenAPI().Paths {
		for method, op := range map[string]any{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodDelete: item.Delete} {
			id := operationID(op)
			if id == "" {
				continue
			}
			seen[id] = true
			need, known := needs[id]
			if !known {
				t.Errorf("%s %s (%s) is not in the table of who may call what", method, path, id)
				continue
			}
			url := strings.NewReplacer("{id}", "nobody", "{name}", "nothing", "{attr}", "none").Replace(path)
			for _, role := range []pool.Role{"", pool.Viewer, pool.Operator, pool.Admin} {
				code, body, _ := r.raw(method, url, r.tokens[role], strings.NewReader("{}"), nil)
				switch {
				case need == anyone:
					if code == http.StatusForbidden {
						t.Errorf("%s as %q = %d, want it open", id, role, code)
					}
				case role == "" && code != http.StatusUnauthorized:
					t.Errorf("%s without a token = %d, want 401", id, code)
				case role != "" && rank(role) < rank(need) && code != http.StatusForbidden:
					t.Errorf("%s as %s = %d, want 403", id, role, code)
				case rank(role) >= rank(need) && (code == 401 || code == 403 || code >= 500 && code != 503):
					t.Errorf("%s as %s = %d %s, want it let in; log: %s", id, role, code, body, r.logs)
				}
			}
		}
	}
	for id := range needs {
		if !seen[id] {
			t.Errorf("%s is in the table and is no endpoint", id)
		}
	}
	if strings.Contains(r.logs.String(), r.tokens[pool.Admin]) {
		t.Error("the log holds a token")
	}
}

func TestSession(t *testing.T) {
	r := newRig(t)
	login := func(token string) (int, string, *http.Cookie) {
		code, body, h := r.raw("POST", "/api/v1/session", "", strings.NewReader(`{"token":"`+token+`"}`), nil)
		cookies := (&http.Response{Header: h}).Cookies()
		if len(cookies) == 0 {
			return code, body, nil
		}
		return code, body, cookies[0]
	}
	code, body, c := login(r.tokens[pool.Operator])
	if code != 200 || c == nil || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode {
		t.Fatalf("login = %d %s, cookie %+v", code, body, c)
	}
	if c.Value == r.tokens[pool.Operator] || strings.Contains(body, r.tokens[pool.Operator]) || strings.Contains(body, c.Value) {
		t.Error("the session gives the token away")
	}
	with := func(extra ...string) func(*http.Request) {
		return func(req *http.Request) {
			req.AddCookie(c)
			for i := 0; i < len(extra); i += 2 {
				req.Header.Set(extra[i], extra[i+1])
			}
		}
	}
	if code, body, _ := r.raw("GET", "/api/v1/session", "", nil, with()); code != 200 || !strings.Contains(body, `"name":"operator"`) {
		t.Errorf("session = %d %s", code, body)
	}
	if code, _, _ := r.raw("POST", "/api/v1/machines/x/inspect", "", nil, with("Sec-Fetch-Site", "cross-site")); code != 403 {
		t.Errorf("a change from another site = %d, want 403", code)
	}
	if code, _, _ := r.raw("GET", "/api/v1/tokens", "", nil, with()); code != 403 {
		t.Errorf("tokens as operator = %d, want 403", code)
	}
	if code, _, _ := r.raw("GET", "/api/v1/version", c.Value, nil, nil); code != 401 {
		t.Errorf("the cookie's value as a token = %d, want 401", code)
	}
	if code, _, h := r.raw("DELETE", "/api/v1/session", "", nil, with()); code != 200 || !strings.Contains(h.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("logout = %d, %q", code, h.Get("Set-Cookie"))
	}
	if code, _, _ := r.raw("GET", "/api/v1/session", "", nil, with()); code != 401 {
		t.Errorf("session after logout = %d, want 401", code)
	}
	_, _, c = login(r.tokens[pool.Operator])
	admin := r.client(pool.Admin)
	if err := admin.DeleteToken(t.Context(), "operator"); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := r.raw("GET", "/api/v1/session", "", nil, with()); code != 401 {
		t.Errorf("session of a revoked token = %d, want 401", code)
	}
	if err := admin.DeleteToken(t.Context(), firstToken); err == nil {
		t.Error("the last admin token was deleted")
	}
}

func TestGuessing(t *testing.T) {
	r := newRig(t)
	var codes []int
	for range guessBurst + 2 {
		code, _, _ := r.raw("POST", "/api/v1/session", "", strings.NewReader(`{"token":"wrong"}`), nil)
		codes = append(codes, code)
	}
	if codes[0] != 401 || codes[guessBurst-1] != 401 || codes[guessBurst] != 429 {
		t.Errorf("wrong logins = %v, want %d times 401, then 429", codes, guessBurst)
	}
	code, _, h := r.raw("POST", "/api/v1/session", "", strings.NewReader(`{"token":"`+r.tokens[pool.Admin]+`"}`), nil)
	if code != 429 {
		t.Errorf("a right login among guesses = %d, Retry-After %q; want 429", code, h.Get("Retry-After"))
	}
}

func TestTokens(t *testing.T) {
	r := newRig(t)
	c := r.client(pool.Admin)
	made, err := c.CreateToken(t.Context(), wire.TokenRequest{Name: "ci", Role: pool.Viewer})
	if err != nil || made.Token == "" {
		t.Fatalf("CreateToken = %+v, %v", made, err)
	}
	if _, err := c.CreateToken(t.Context(), wire.TokenRequest{Name: "ci", Role: pool.Viewer}); err == nil {
		t.Error("a token was replaced by one of its name")
	}
	if code, body, _ := r.raw("GET", "/api/v1/tokens", r.tokens[pool.Admin], nil, nil); strings.Contains(body, made.Token) || strings.Contains(body, hashToken(made.Token)) {
		t.Errorf("the list of tokens shows one: %d %s", code, body)
	}
	if code, _, _ := r.raw("GET", "/api/v1/version", made.Token, nil, nil); code != 200 {
		t.Errorf("new token = %d, want 200", code)
	}
	revoked, err := r.Store.TokenByHash(t.Context(), hashToken(made.Token))
	if err != nil || revoked.Used.IsZero() {
		t.Errorf("a used token is %+v, %v", revoked, err)
	}
	if err := c.DeleteToken(t.Context(), "ci"); err != nil {
		t.Fatal(err)
	}
	r.used(t.Context(), revoked, time.Now().Add(2*time.Hour)) // a request that looked it up before
	if code, _, _ := r.raw("GET", "/api/v1/version", made.Token, nil, nil); code != 401 {
		t.Errorf("a revoked token = %d, want 401", code)
	}
	again := func(string) error { return errors.New("asked to keep another token") }
	if fresh, err := r.EnsureAdmin(t.Context(), again); fresh || err != nil {
		t.Errorf("a second EnsureAdmin = %v, %v; want nothing", fresh, err)
	}
}

func operationID(op any) string {
	if o, ok := op.(*huma.Operation); ok && o != nil {
		return o.OperationID
	}
	return ""
}
