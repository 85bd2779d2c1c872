package api

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/labstack/echo/v4"

	"appliance/api/wire"
	"appliance/pool"
)

// Bounds of the agents' protocol.
const (
	maxWait     = 30 * time.Second
	maxHellos   = 32  // worked on at once
	maxBodies   = 128 // of hellos, held in memory at once
	maxSending  = 4   // of them from one address while they arrive
	maxLines    = 2000
	maxLine     = 8 << 10
	maxOutput   = 64 << 10
	maxEvidence = 4 << 10
)

func (s *Server) agentRoutes(e *echo.Echo) {
	small := whole(smallBody)
	e.POST(wire.PathHello, s.hello, newCrowd(maxBodies, maxHellos, maxSending).whole(helloBody))
	e.GET(wire.PathTask, s.proved(s.nextTask))
	e.POST(wire.PathProgress, s.proved(s.taskProgress), small)
	e.POST(wire.PathResult, s.proved(s.taskResult), s.early, whole(resultBody))
	e.POST(wire.PathOutput, s.proved(s.taskOutput), s.early, whole(resultBody))
	e.POST(wire.PathConsole, s.proved(s.console), s.early, small)
	e.GET(wire.PathAttr, s.proved(s.attributes))
	e.PUT(wire.PathAttr, s.proved(s.putAttribute), small)
	e.DELETE(wire.PathAttr, s.proved(s.deleteAttribute))
	e.GET(wire.PathRecipe+":digest", s.proved(s.recipeArchive))
	e.GET(wire.PathImage+":name/manifest", s.proved(s.manifest))
	e.GET(wire.PathImage+":name/frames", s.proved(s.frames))
	e.POST(wire.PathIdentity, s.proved(s.identity), small)
	e.GET(wire.PathPeer, s.proved(s.agentPeer))
	e.POST(wire.PathInvoke, s.proved(s.agentInvoke), s.early, small)
	e.GET(wire.PathReadings, s.proved(s.agentReadings))
	e.POST(wire.PathReadings, s.proved(s.takeReadings), s.early, small)
	e.POST(wire.PathBye, s.proved(s.bye), small)
	e.GET(wire.PathBeat, s.proved(s.beat))
	e.POST(wire.PathWatch, s.proved(s.watched), s.early, small)
	e.POST(wire.PathMaintain, s.proved(s.maintain), s.early, small)
}

// early refuses who is not proved before a large body is read.
func (s *Server) early(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if _, err := s.machineOf(c.Request()); err != nil {
			return err
		}
		return next(c)
	}
}

// proof is what a client certificate proves.
type proof struct {
	machine pool.Machine
	key     string
	expired bool
	revoked bool // the key is no longer the machine's
}

// prove checks the client certificate: of our CA, its key still pinned to its
// machine. Nil means that there is none, or one that is not ours.
func (s *Server) prove(r *http.Request) (*proof, error) {
	cert := clientCertificate(r)
	if cert == nil || s.CA == nil {
		return nil, nil
	}
	id, key, expired, err := s.CA.client(cert, time.Now())
	if err != nil {
		s.log().DebugContext(r.Context(), "foreign client certificate", "ip", remoteHost(r), "err", err)
		return nil, nil
	}
	m, err := s.Store.Machine(r.Context(), id)
	if errors.Is(err, pool.ErrNotFound) {
		return nil, refuse(http.StatusForbidden, "machine %s is not known any more", id)
	}
	if err != nil {
		return nil, err
	}
	ok, err := s.pinned(r.Context(), m, key)
	if err != nil {
		return nil, err
	}
	return &proof{m, key, expired, !ok}, nil
}

func clientCertificate(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	return r.TLS.PeerCertificates[0]
}

// pinned says whether key is one of machine's: that of its agent in RAM, or
// that of the system which the agent installed, as long as the machine has
// the same owner.
func (s *Server) pinned(ctx context.Context, m pool.Machine, key string) (bool, error) {
	if key == "" || m.Key == "" && m.Driver != pool.DriverSSH { // a host has only the agent that was put on it
		return false, nil
	}
	if key == m.Key {
		return true, nil
	}
	if m.Phase != pool.Reserved && m.Phase != pool.Active {
		return false, nil
	}
	known, err := s.Store.Secret(ctx, identitySecret(m.ID))
	if errors.Is(err, pool.ErrNotFound) {
		return false, nil
	}
	return err == nil && known.Reveal() == identityText(key, m.Epoch), err
}

// identitySecret names where the key of the installed system is kept.
func identitySecret(machine string) string { return "identity/" + machine }

func identityText(key string, epoch int64) string { return key + " " + itoa(epoch) }

// machineOf returns the machine that makes the request: proved, not expired.
func (s *Server) machineOf(r *http.Request) (pool.Machine, error) {
	p, err := s.prove(r)
	switch {
	case err != nil:
		return pool.Machine{}, err
	case p != nil && p.revoked:
		return pool.Machine{}, refuse(http.StatusForbidden, "the key of this certificate is not that of machine %s: it was revoked", p.machine.ID)
	case p == nil:
		return pool.Machine{}, refuse(http.StatusUnauthorized, "an agent's certificate is needed: say hello")
	case p.expired:
		return pool.Machine{}, refuse(http.StatusUnauthorized, "the certificate of machine %s has expired: say hello with a new request", p.machine.ID)
	}
	return p.machine, nil
}

// proved runs f for the machine that makes the request.
func (s *Server) proved(f func(echo.Context, pool.Machine) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-store")
		m, err := s.machineOf(c.Request())
		if err != nil {
			return err
		}
		return f(c, m)
	}
}

// parseHello reads and checks a hello. Errors wrap pool.ErrInvalid, but for a
// protocol of another major, which is ErrConflict and names both versions.
func parseHello(c echo.Context) (wire.Hello, error) {
	var h wire.Hello
	if err := decode(c.Request().Body, &h); err != nil {
		return h, err
	}
	if major(h.Protocol) != major(wire.Protocol) {
		return h, fmt.Errorf("%w: the agent speaks protocol %.20q, the appliance %s: boot the machine again, or update its agent", pool.ErrConflict, h.Protocol, wire.Protocol)
	}
	return h, h.Check()
}

func major(version string) string {
	m, _, _ := strings.Cut(version, ".")
	return m
}

func (s *Server) hello(c echo.Context) error {
	r := c.Request()
	c.Response().Header().Set("Cache-Control", "no-store")
	h, err := parseHello(c)
	if err != nil {
		return err
	}
	var csr *x509.CertificateRequest
	said := pool.AgentHello{MAC: h.MAC, Mode: h.Mode, BootID: h.BootID, Version: h.Version, Epoch: h.Epoch, Facts: h.Facts, Unconfirmed: h.Unconfirmed}
	if h.CSR != "" {
		if csr, said.Key, err = parseCSR(h.CSR); err != nil {
			return err
		}
	}
	if at, err := netip.ParseAddr(remoteHost(r)); err == nil {
		said.Address = at.Unmap()
	}
	if w, fenced, err := s.revoked(r, h); err != nil {
		return err
	} else if fenced {
		return c.JSON(http.StatusOK, w)
	}
	if said.Machine, err = s.identify(r, h); err != nil {
		return err
	}
	v, err := s.Agents.AgentHello(r.Context(), said)
	if err != nil {
		return err
	}
	w := wire.Welcome{Protocol: wire.Protocol, Version: s.Version, Machine: v.Machine.ID, Name: v.Machine.Name,
		State: v.State, Retry: v.Retry, Epoch: v.Machine.Epoch, Why: v.Why}
	if csr != nil {
		if w.Certificate, err = s.certify(r.Context(), v, said, csr); err != nil {
			return err
		}
	}
	return c.JSON(http.StatusOK, w)
}

// revoked answers an installed system whose key was revoked: its machine has
// another owner, or none. It is told so, with the epoch that it has to stand
// back for; by the certificate alone it would try for ever.
func (s *Server) revoked(r *http.Request, h wire.Hello) (w wire.Welcome, fenced bool, err error) {
	if h.Mode != pool.Installed {
		return w, false, nil
	}
	p, err := s.prove(r)
	if err != nil || p == nil || !p.revoked {
		return w, false, err
	}
	s.log().WarnContext(r.Context(), "hello of a fenced system", "machine", p.machine.ID, "ip", remoteHost(r), "epoch", h.Epoch, "now", p.machine.Epoch)
	return wire.Welcome{Protocol: wire.Protocol, Version: s.Version, Machine: p.machine.ID, Name: p.machine.Name, State: wire.StateFenced,
		Retry: 30 * time.Second, Epoch: p.machine.Epoch, Why: "the machine no longer belongs to this system: its key was revoked"}, true, nil
}

// identify returns the machine that a hello proves to come from: by its
// certificate (an expired one will do, because its key is still pinned) or by
// its one-time token. A token that is spent proves nothing and harms nothing:
// the answer to its first use may have been lost. Neither does the revoked
// certificate of an agent in RAM: it has to hear that its machine is retired,
// or to be discovered again.
func (s *Server) identify(r *http.Request, h wire.Hello) (string, error) {
	p, err := s.prove(r)
	if st, ok := errors.AsType[*status](err); ok && st.code == http.StatusForbidden && h.Mode == pool.InRAM {
		s.log().WarnContext(r.Context(), "certificate refused", "mac", h.MAC, "ip", remoteHost(r), "err", err)
		err = nil
	}
	if err != nil {
		return "", err
	}
	if p != nil && p.revoked {
		s.log().WarnContext(r.Context(), "certificate refused: its key was revoked", "machine", p.machine.ID, "mac", h.MAC, "ip", remoteHost(r))
		p = nil
	}
	if p != nil {
		if h.Machine != "" && h.Machine != p.machine.ID {
			return "", refuse(http.StatusForbidden, "the certificate is of machine %s, not of %s", p.machine.ID, h.Machine)
		}
		return p.machine.ID, nil
	}
	if h.Token == "" {
		return "", nil
	}
	id, err := s.Agents.UseBootToken(r.Context(), h.MAC, h.Token)
	if err == nil {
		return id, nil
	}
	if errors.Is(err, pool.ErrNotFound) || errors.Is(err, pool.ErrConflict) || errors.Is(err, pool.ErrInvalid) {
		s.log().WarnContext(r.Context(), "one-time token refused", "mac", h.MAC, "ip", remoteHost(r), "err", err)
		return "", nil
	}
	return "", err
}

// certify issues the agent's certificate when the key in its request is pinned
// to the machine: by the engine's verdict, or renewed for who proved it.
func (s *Server) certify(ctx context.Context, v pool.Verdict, said pool.AgentHello, csr *x509.CertificateRequest) (string, error) {
	if s.CA == nil || !v.Certify && said.Machine == "" {
		return "", nil
	}
	ok, err := s.pinned(ctx, v.Machine, said.Key)
	if err != nil {
		return "", err
	}
	if !ok {
		if v.Certify {
			s.log().WarnContext(ctx, "certificate refused: key is not pinned", "machine", v.Machine.ID)
		}
		return "", nil
	}
	return s.CA.agentCertificate(v.Machine.ID, csr, time.Now())
}

func (s *Server) nextTask(c echo.Context, m pool.Machine) error {
	wait := maxWait
	if text := c.QueryParam("wait"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return fmt.Errorf("%w: wait %.20q: want seconds", pool.ErrInvalid, text)
		}
		wait = min(maxWait, time.Duration(min(n, 3600))*time.Second)
	}
	now := s.Engine.Live(m.ID)
	boot, mode := c.QueryParam("boot"), pool.AgentMode(c.QueryParam("mode"))
	if boot == "" {
		boot = now.BootID
	}
	if mode == "" {
		mode = now.Agent
	}
	if mode != pool.InRAM && mode != pool.Installed {
		return fmt.Errorf("%w: mode %.20q: want ram or installed", pool.ErrInvalid, mode)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), wait)
	defer cancel()
	next := func() (pool.Step, string, error) { return s.Agents.NextTask(ctx, m.ID, boot, mode) }
	if c.QueryParam("busy") != "" && mode == pool.Installed {
		next = func() (pool.Step, string, error) { return s.Agents.NextErrand(ctx, m.ID, boot) }
	}
	step, token, err := next()
	if errors.Is(err, pool.ErrNotFound) || err != nil && ctx.Err() != nil {
		return c.NoContent(http.StatusNoContent)
	}
	if err != nil {
		return err
	}
	a := wire.Assignment{Key: step.Key, Token: token, Epoch: step.Epoch, Name: step.Name, Idempotent: step.Idempotent, Timeout: step.Timeout}
	if step.Task != nil {
		a.Kind, a.Params = step.Task.Kind, step.Task.Params
	}
	return c.JSON(http.StatusOK, a)
}

// gone answers 410 where a task is nobody's any more.
func gone(c echo.Context, err error) error {
	if errors.Is(err, pool.ErrNotFound) {
		return refuse(http.StatusGone, "the task is not wanted any more: stop it")
	}
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) taskProgress(c echo.Context, m pool.Machine) error {
	var r wire.Report
	if err := decode(c.Request().Body, &r); err != nil {
		return err
	}
	for _, t := range []struct{ field, text string }{{"progress.detail", r.Progress.Detail}, {"progress.unit", r.Progress.Unit}} {
		if err := wire.CheckText(t.field, t.text, 512); err != nil {
			return err
		}
	}
	return gone(c, s.Agents.TaskProgress(c.Request().Context(), m.ID, r.Key, r.Token, r.BootID, r.Progress))
}

// parseOutcome reads how a task ended.
func parseOutcome(machine string, o wire.Outcome) (pool.TaskOutcome, error) {
	out := pool.TaskOutcome{Machine: machine, Key: o.Key, Token: o.Token, BootID: o.BootID, State: o.State,
		Result: o.Result, Output: tail(clean(o.Output), maxOutput)}
	if o.State != wire.OutcomeDone && o.State != wire.OutcomeFailed && o.State != wire.OutcomeInterrupted {
		return out, fmt.Errorf("%w: state %.20q: want done, failed or interrupted", pool.ErrInvalid, o.State)
	}
	if o.Cause != nil {
		k := o.Cause // which step, when, and what was tried, the engine knows
		out.Cause = &pool.Cause{Code: tail(clean(k.Code), maxLine), Message: tail(clean(k.Message), maxLine),
			Evidence: tail(clean(k.Evidence), maxEvidence), Remedy: tail(clean(k.Remedy), maxLine)}
	}
	return out, checkResult(o.Result)
}

// checkResult bounds an inventory that came as a task's result.
func checkResult(result json.RawMessage) error {
	var r struct {
		Facts json.RawMessage `json:"facts"`
	}
	if len(result) == 0 || json.Unmarshal(result, &r) != nil {
		return nil // the engine says what it makes of it
	}
	for _, text := range []json.RawMessage{r.Facts, result} {
		var f pool.Facts
		if len(text) > 0 && json.Unmarshal(text, &f) == nil {
			if err := wire.CheckFacts(&f); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Server) taskResult(c echo.Context, m pool.Machine) error {
	var o wire.Outcome
	if err := decode(c.Request().Body, &o); err != nil {
		return err
	}
	out, err := parseOutcome(m.ID, o)
	if err == nil && out.Cause != nil {
		out.Cause.Evidence, err = s.masked(c.Request().Context(), out.Cause.Evidence)
	}
	if err != nil {
		return err
	}
	return gone(c, s.Agents.TaskResult(c.Request().Context(), out))
}

func (s *Server) taskOutput(c echo.Context, m pool.Machine) error {
	var o wire.Output
	if err := decode(c.Request().Body, &o); err != nil {
		return err
	}
	if o.First < 0 {
		return fmt.Errorf("%w: output: lines from %d on", pool.ErrInvalid, o.First)
	}
	if err := cleanLines(o.Lines); err != nil {
		return err
	}
	return gone(c, s.Agents.TaskOutput(c.Request().Context(), m.ID, o.Key, o.Token, o.First, o.Lines))
}

// cleanLines bounds lines in place.
func cleanLines(lines []string) error {
	if len(lines) > maxLines {
		return fmt.Errorf("%w: output: %d lines, %d at most", pool.ErrInvalid, len(lines), maxLines)
	}
	for i, l := range lines {
		l = strings.ReplaceAll(clean(l), "\n", " ")
		if len(l) > maxLine {
			l = strings.ToValidUTF8(l[:maxLine], "") + " …"
		}
		lines[i] = l
	}
	return nil
}

// console stores what a trusted machine printed on its console.
func (s *Server) console(c echo.Context, m pool.Machine) error {
	var in wire.Console
	if err := decode(c.Request().Body, &in); err != nil {
		return err
	}
	if err := cleanLines(in.Lines); err != nil {
		return err
	}
	now := time.Now().UTC()
	lines := make([]pool.LogLine, len(in.Lines))
	for i, l := range in.Lines {
		lines[i] = pool.LogLine{At: now, Machine: m.ID, Step: pool.ConsoleStep, Line: l}
	}
	lines, err := s.Store.AppendLog(c.Request().Context(), lines)
	if err != nil {
		return err
	}
	for _, l := range lines {
		s.Feed.PublishLog(l)
	}
	return c.NoContent(http.StatusNoContent)
}

// clean takes out of text what would act on a terminal.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.Is(unicode.Cc, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// tail keeps the last n bytes.
func tail(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[len(text)-n:], "")
}

func (s *Server) bye(c echo.Context, m pool.Machine) error {
	boot := c.QueryParam("boot")
	if boot == "" {
		boot = s.Engine.Live(m.ID).BootID
	}
	if err := s.Agents.AgentBye(c.Request().Context(), m.ID, boot); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
