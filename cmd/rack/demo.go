package main

import (
	"context"
	"errors"
	"io"
)

func runDemo(ctx context.Context, args []string, stdout, stderr io.Writer) (int, error) {
	return 0, errors.New("not wired")
}
