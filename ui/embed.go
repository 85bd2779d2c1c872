// Package ui carries the web console: files that call the API from the
// browser. It knows nothing of the appliance but the API's documents.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files holds the built console. Without one (npm was not run) it holds only
// a placeholder, and the API answers that there is no console.
func Files() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		return dist // cannot be: dist is a valid name
	}
	return sub
}
