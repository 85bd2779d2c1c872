// Package shipped holds the recipes that come with the appliance. It only
// holds them: package recipes loads and checks them.
package shipped

import (
	"embed"
	"io/fs"
)

//go:embed all:ansible all:chef all:hypervisor all:mariadb all:mysql all:nginx all:puppet all:webshop
var files embed.FS

// FS is the folder of shipped recipes: one folder for each.
func FS() fs.FS { return files }

// Names are the names of the shipped recipes, sorted.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil // the embedded root is always there
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}
