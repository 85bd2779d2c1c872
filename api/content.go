package api

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"appliance/api/wire"
	"appliance/pool"
)

// maxAttribute bounds an attribute's value.
const maxAttribute = 64 << 10

func (s *Server) recipeArchive(c echo.Context, _ pool.Machine) error {
	_, archive, err := s.Store.Recipe(c.Request().Context(), c.Param("digest"))
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/gzip", archive)
}

func (s *Server) manifest(c echo.Context, _ pool.Machine) error {
	im, err := s.Store.Image(c.Request().Context(), c.Param("name"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, im)
}

// frames serves an image's stored frames, ranges too. It writes to the
// connection itself: without TLS between, the kernel copies (sendfile).
func (s *Server) frames(c echo.Context, _ pool.Machine) (err error) {
	if s.Images == nil {
		return fmt.Errorf("%w: this appliance keeps no images", pool.ErrNotFound)
	}
	var im pool.Image
	var f *os.File
	for range 2 { // between the two it may have been replaced
		if im, err = s.Store.Image(c.Request().Context(), c.Param("name")); err != nil {
			return err
		}
		if f, err = s.Images.Frames(im); !errors.Is(err, pool.ErrNotFound) {
			break
		}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := c.Response().Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("ETag", `"`+im.Digest+`"`) // a range of another image's bytes is refused by If-Range
	c.Response().Committed = true
	http.ServeContent(c.Response().Writer, c.Request(), "", im.CreatedAt, f)
	return nil
}

// identity issues the certificate of the system that the machine's agent in
// RAM is installing, and remembers its key.
func (s *Server) identity(c echo.Context, m pool.Machine) error {
	ctx := c.Request().Context()
	var r wire.IdentityRequest
	if err := decode(c.Request().Body, &r); err != nil {
		return err
	}
	csr, key, err := parseCSR(r.CSR)
	if err != nil {
		return err
	}
	m, err = s.Agents.Identity(ctx, m.ID, r.Token)
	if errors.Is(err, pool.ErrNotFound) || errors.Is(err, pool.ErrConflict) {
		return refuse(http.StatusForbidden, "the token is not that of the machine's open deployment")
	}
	if err != nil {
		return err
	}
	// Where its agent reaches us the system will, too: by IPv6 alone, say.
	id, err := s.issueIdentity(ctx, m, csr, key, "https://"+c.Request().Host)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, id)
}

// issueIdentity pins the key of the system on m until its owner changes, and
// certifies it.
func (s *Server) issueIdentity(ctx context.Context, m pool.Machine, csr *x509.CertificateRequest, key, url string) (wire.Identity, error) {
	err := s.Store.Apply(ctx, &pool.Change{
		Secrets: map[string]pool.Secret{identitySecret(m.ID): pool.NewSecret(identityText(key, m.Epoch))},
		Events: []*pool.Event{{At: time.Now().UTC(), Type: "machine.identity", Severity: pool.Info, Machine: m.ID,
			Message: fmt.Sprintf("The system on %s got its identity.", m.Name)}},
	})
	if err != nil {
		return wire.Identity{}, err
	}
	cert, err := s.CA.agentCertificate(m.ID, csr, time.Now())
	if err != nil {
		return wire.Identity{}, err
	}
	return wire.Identity{Server: url, CA: string(s.CA.PEM()), Machine: m.ID, Certificate: cert, Epoch: m.Epoch}, nil
}

// HostIdentity issues the identity of the agent that the appliance itself put
// on m, a host that an instance has. csr came back over the connection by
// which it was put there. Errors wrap pool.ErrInvalid, or ErrConflict for a
// machine that nobody has.
func (s *Server) HostIdentity(ctx context.Context, m pool.Machine, csr string) (wire.Identity, error) {
	if m.Driver != pool.DriverSSH || m.Phase != pool.Reserved && m.Phase != pool.Active {
		return wire.Identity{}, fmt.Errorf("%w: identity of machine %s: it is %s, of driver %s", pool.ErrConflict, m.Name, m.Phase, m.Driver.Or())
	}
	request, key, err := parseCSR(csr)
	if err != nil {
		return wire.Identity{}, err
	}
	return s.issueIdentity(ctx, m, request, key, s.URL)
}

// scope returns the stored name of a scope that machine m may read or write:
// global, its own application and service, and the instances of that service,
// of which it writes only its own. Of the other services of its application,
// unless that is the default one, it reads all. An instance is named by its ID or, as
// recipes do, by SERVICE/NUMBER.
func (s *Server) scope(ctx context.Context, m pool.Machine, scope string, write bool) (string, error) {
	if err := wire.CheckText("scope", scope, 200); err != nil {
		return "", err
	}
	denied := refuse(http.StatusForbidden, "scope %.80q is not one of machine %s", scope, m.Name)
	if scope == "global" {
		return scope, nil
	}
	if m.Instance == "" {
		return "", denied
	}
	own, err := s.Store.Instance(ctx, m.Instance)
	if errors.Is(err, pool.ErrNotFound) {
		return "", denied
	}
	if err != nil {
		return "", err
	}
	svc, err := s.Store.Service(ctx, own.Service)
	if err != nil && !errors.Is(err, pool.ErrNotFound) {
		return "", err
	}
	kind, name, _ := strings.Cut(scope, ":")
	owner, _, _ := strings.Cut(name, "/")
	// What belongs to the same application may be read, but not written.
	sibling := !write && svc.Application != "" && strings.HasPrefix(owner, svc.Application+".")
	switch {
	case kind == "application" && name == svc.ApplicationName(), kind == "instance" && name == own.ID,
		kind == "service" && (name == own.Service || sibling):
		return scope, nil
	case kind == "instance":
		if !sibling {
			owner = own.Service
		}
		all, err := s.Store.Instances(ctx, owner)
		if err != nil {
			return "", err
		}
		for _, other := range all {
			if name != other.ID && name != other.Service+"/"+strconv.Itoa(other.Number) || write && other.ID != own.ID {
				continue
			}
			return "instance:" + other.ID, nil
		}
	}
	return "", denied
}

func (s *Server) attributes(c echo.Context, m pool.Machine) error {
	ctx := c.Request().Context()
	name := c.QueryParam("name")
	scope, err := s.scope(ctx, m, c.QueryParam("scope"), false)
	if err != nil {
		return err
	}
	if name != "" {
		at, err := s.Store.Attribute(ctx, scope, name)
		if err != nil {
			return err
		}
		v, err := s.value(ctx, at)
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, v)
	}
	all, err := s.Store.Attributes(ctx, scope)
	if err != nil {
		return err
	}
	out := make([]wire.AttributeValue, 0, len(all))
	for _, at := range all {
		v, err := s.value(ctx, at)
		if err != nil {
			return err
		}
		out = append(out, v)
	}
	return c.JSON(http.StatusOK, out)
}

func (s *Server) putAttribute(c echo.Context, m pool.Machine) error {
	var a wire.AttributeValue
	if err := decode(c.Request().Body, &a); err != nil {
		return err
	}
	var err error
	if a.Scope, err = s.scope(c.Request().Context(), m, a.Scope, true); err != nil {
		return err
	}
	in, err := s.Store.Instance(c.Request().Context(), m.Instance)
	if err != nil && !errors.Is(err, pool.ErrNotFound) {
		return err
	}
	by := fmt.Sprintf("%s/%d", in.Service, in.Number)
	if in.ID == "" {
		by = m.Name
	}
	if _, err := s.setAttribute(c.Request().Context(), pool.Attribute{Scope: a.Scope, Name: a.Name, Value: string(a.Value), Secret: a.Secret,
		Rev: a.Rev, By: by}, in.Service); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) deleteAttribute(c echo.Context, m pool.Machine) error {
	ctx, name := c.Request().Context(), c.QueryParam("name")
	scope, err := s.scope(ctx, m, c.QueryParam("scope"), true)
	if err != nil {
		return err
	}
	in, err := s.Store.Instance(ctx, m.Instance)
	if err != nil && !errors.Is(err, pool.ErrNotFound) {
		return err
	}
	err = s.removeAttribute(ctx, scope, in.Service, name, 0, fmt.Sprintf("%s/%d", in.Service, in.Number))
	if err != nil && !errors.Is(err, pool.ErrNotFound) {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
