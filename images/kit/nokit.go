//go:build nokit

package kit

import (
	"embed"
	"io/fs"
)

func files() fs.FS { return embed.FS{} }
