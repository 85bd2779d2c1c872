package main

import (
	"context"
	"log/slog"
	"path/filepath"

	"appliance/images"
	"appliance/store"
)

// library is the library of disk images below data, without the files that no
// image in db has.
func library(data string, db *store.DB, log *slog.Logger) *images.Library {
	ctx, l := context.Background(), &images.Library{Dir: filepath.Join(data, "images")}
	rows, err := db.Images(ctx)
	for i := 0; i < len(rows) && err == nil; i++ {
		rows[i], err = db.Image(ctx, rows[i].Name) // with its frames
	}
	if err == nil {
		err = l.Tidy(rows)
	}
	if err != nil {
		log.Warn("files of replaced images stay", "err", err)
	}
	return l
}
