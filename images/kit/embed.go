//go:build !nokit

package kit

import (
	"embed"
	"io/fs"
)

//go:embed all:data
var data embed.FS

func files() fs.FS {
	sub, err := fs.Sub(data, "data")
	if err != nil {
		panic(err) // "data" is a valid path
	}
	return sub
}
