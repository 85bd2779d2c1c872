// Package api is the appliance's HTTPS face: the REST API for people and
// programs (huma on Echo, OpenAPI 3.1), the event stream, the endpoints of the
// agents' protocol, the console's files and the package repository.
//
// A handler decodes, calls and encodes; it decides nothing about machines.
// One function turns errors into problem documents (RFC 9457): pool.ErrInvalid
// 400, ErrNotFound 404, ErrConflict 409, ErrUnavailable 503; everything else
// is logged and answered "internal error".
//
// People show an API token (Authorization: Bearer, or the console's cookie);
// only its SHA-256 is stored. Agents show a certificate of the appliance's own
// CA whose key is pinned to their machine; before acceptance they may say
// hello and nothing else:
//
//	hello, unproved (a MAC is anybody's word) ──▶ wait
//	hello + one-time token, or certificate    ──▶ proved ──▶ certificate ──▶ tasks
//
// No answer carries a secret, but for a new token (once), an attribute that
// an operator reveals (recorded), and what a task needs.
package api
