// Package client calls the appliance's API from Go: what people may ask (one
// method for each endpoint) and what agents say.
//
// Errors wrap the sentinels of package pool, so a caller tests the same errors
// as the server: 400, 413 and 422 are pool.ErrInvalid, 404 and 410
// pool.ErrNotFound, 409 pool.ErrConflict, 429, 502, 503, 504 and a connection
// that fails pool.ErrUnavailable; 401 and 403 are ErrDenied. The text is the
// problem's detail.
//
// It never retries and keeps no state but its connections.
package client
