package sql

import "context"

// session is one connection to a server.
type session interface {
	// query runs a statement and reads its rows to the end: scripts ask more
	// while they walk over them. alloc accounts what is read.
	query(ctx context.Context, text string, args []any, alloc func(int) error) (*table, error)
	// exec runs a statement, or without arguments several, for what they do.
	exec(ctx context.Context, text string, args []any) (outcome, error)
	close() error
}

// outcome is what a statement did.
type outcome struct {
	rows bool  // it gave rows, which nobody wanted
	n    int64 // rows changed
	key  int64 // made by the server for an inserted row; 0: none
}

// table are the rows of a query. Values are nil, int64, uint64, float32,
// float64, bool, string, []byte, time.Time.
type table struct {
	names []string
	types []string // of the columns, as the server names them
	rows  [][]any
}

// size is about what a row takes.
func size(row []any) int {
	n := 64 + 32*len(row)
	for _, v := range row {
		switch x := v.(type) {
		case string:
			n += len(x)
		case []byte:
			n += len(x)
		}
	}
	return n
}
