package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"appliance/pool"
)

// BindAll stores leases as Bind does, all in one transaction and a few
// statements, and says of each how it went. A lease later in ls meets those
// before it. That the transaction failed is the error of all.
func (db *DB) BindAll(ctx context.Context, ls []pool.Lease) []error {
	errs := make([]error, len(ls))
	if len(ls) == 0 {
		return errs
	}
	in := make([]leaseRow, len(ls))
	for i, l := range ls {
		if l.MAC.IsZero() || !l.Address.IsValid() {
			errs[i] = fmt.Errorf("%w: bind %s to %s: want a MAC and an address", pool.ErrInvalid, l.Address, l.MAC)
			continue
		}
		detail, err := detailOf(l)
		if err != nil {
			errs[i] = err
			continue
		}
		in[i] = leaseRow{l.Address.String(), l.MAC.String(), family(l.Address), l.Hostname, l.Start.UnixMicro(), l.Expires.UnixMicro(), detail}
	}
	var refused []error
	err := db.writer.beside(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		refused, err = bindAll(ctx, tx, in, time.Now().UnixMicro())
		return err
	})
	for i := range errs {
		switch {
		case errs[i] != nil:
		case err != nil:
			errs[i] = fmt.Errorf("bind %s to %s: %w", in[i].address, in[i].mac, err)
		default:
			errs[i] = refused[i]
		}
	}
	return errs
}

// leaseRow is a row of the table leases.
type leaseRow struct {
	address, mac   string // mac is empty for a declined address
	family         int64
	hostname       string
	start, expires int64
	detail         string
}

// holder is a MAC and a family: what has one lease.
type holder struct {
	mac    string
	family int64
}

// leaseTable is the part of the table that a group of leases concerns, as it
// is to become.
type leaseTable struct {
	byAddr map[string]leaseRow
	byMAC  map[holder]string // its address
	stored map[string]bool   // addresses that have a row
	fresh  map[string]bool   // addresses whose row is to be written
}

// bindAll refuses what conflicts and writes the rest. Nearly always all of a
// group are addresses that nobody has, or that their holders renew: these are
// written without a look. Else what that wrote is undone, and each is looked at.
func bindAll(ctx context.Context, tx *sql.Tx, in []leaseRow, now int64) ([]error, error) {
	if ok, err := bindPlain(ctx, tx, in); ok || err != nil {
		return make([]error, len(in)), err
	}
	t, err := readLeases(ctx, tx, in)
	if err != nil {
		return nil, err
	}
	errs := make([]error, len(in))
	for i, l := range in {
		if l.address == "" {
			continue // refused before
		}
		if had, ok := t.byAddr[l.address]; ok && had.mac != l.mac && had.expires > now {
			by := had.mac
			if by == "" {
				by = "nobody: it was declined"
			}
			errs[i] = fmt.Errorf("%w: bind %s to %s: it belongs to %s", pool.ErrConflict, l.address, l.mac, by)
			continue
		}
		t.put(l)
	}
	return errs, t.write(ctx, tx)
}

// bindPlain writes leases that are new, or that their holders renew. False:
// not all of them are so, and nothing was written.
func bindPlain(ctx context.Context, tx *sql.Tx, in []leaseRow) (bool, error) {
	if _, err := tx.ExecContext(ctx, "SAVEPOINT plain"); err != nil {
		return false, err
	}
	var written int64
	args := make([]any, 0, leaseColumnsN*leaseChunks[0])
	err := chunks(len(in), func(from, to int) error {
		args = args[:0]
		for _, l := range in[from:to] {
			if l.address == "" {
				return errNotPlain // refused before
			}
			args = append(args, l.address, l.mac, l.family, l.hostname, l.start, l.expires, l.detail)
		}
		r, err := tx.ExecContext(ctx, leaseText(to-from)+plainConflict, args...)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		written += n
		return err
	})
	if spoils(err) {
		return false, err
	}
	if err == nil && written == int64(len(in)) {
		_, err := tx.ExecContext(ctx, "RELEASE plain")
		return true, err
	}
	_, err = tx.ExecContext(ctx, "ROLLBACK TO plain; RELEASE plain")
	return false, err
}

var errNotPlain = errors.New("not plain")

// plainConflict renews a lease of the same MAC. A MAC that has another address
// breaks leases_mac, an address of another MAC changes no row.
const plainConflict = ` ON CONFLICT (address) DO UPDATE SET hostname = excluded.hostname, start = excluded.start,
	expires = excluded.expires, detail = excluded.detail WHERE leases.mac = excluded.mac AND leases.family = excluded.family`

// leaseColumnsN is how many columns a row of leases has.
const leaseColumnsN = 7

// leaseText is the statement that writes n leases.
func leaseText(n int) string {
	var text strings.Builder
	text.WriteString("INSERT INTO leases (address, mac, family, hostname, start, expires, detail) VALUES ")
	for i := range n {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString("(" + list(i*leaseColumnsN+1, leaseColumnsN) + ")")
	}
	return text.String()
}

// put gives l its address, and its MAC nothing else.
func (t *leaseTable) put(l leaseRow) {
	if had, ok := t.byAddr[l.address]; ok {
		delete(t.byMAC, holder{had.mac, had.family})
	}
	h := holder{l.mac, l.family}
	if old, ok := t.byMAC[h]; ok && old != l.address {
		delete(t.byAddr, old)
		delete(t.fresh, old)
	}
	t.byAddr[l.address], t.byMAC[h] = l, l.address
	t.fresh[l.address] = true
}

// leaseChunks are how many rows one statement takes: few different texts, so
// that each is compiled once.
var leaseChunks = [...]int{64, 16, 4, 1}

// chunks calls f with parts of n things.
func chunks(n int, f func(from, to int) error) error {
	for from := 0; from < n; {
		for _, c := range leaseChunks {
			if from+c <= n {
				if err := f(from, from+c); err != nil {
					return err
				}
				from += c
				break
			}
		}
	}
	return nil
}

// list writes "$from, $from+1, …", n of them.
func list(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(from + i))
	}
	return b.String()
}

// readLeases reads the rows of the addresses and the MACs of in.
func readLeases(ctx context.Context, tx *sql.Tx, in []leaseRow) (*leaseTable, error) {
	t := &leaseTable{
		byAddr: make(map[string]leaseRow, len(in)), byMAC: make(map[holder]string, len(in)),
		stored: map[string]bool{}, fresh: make(map[string]bool, len(in)),
	}
	args := make([]any, 0, 2*leaseChunks[0])
	err := chunks(len(in), func(from, to int) error {
		args = args[:0]
		for _, l := range in[from:to] {
			args = append(args, l.address)
		}
		for _, l := range in[from:to] {
			args = append(args, l.mac)
		}
		found, err := rows(ctx, tx, func(r *sql.Rows) (l leaseRow, err error) {
			var mac sql.NullString
			err = r.Scan(&l.address, &mac, &l.family, &l.expires)
			l.mac = mac.String
			return l, err
		}, readText(to-from), args...)
		for _, l := range found {
			t.byAddr[l.address], t.stored[l.address] = l, true
			if l.mac != "" {
				t.byMAC[holder{l.mac, l.family}] = l.address
			}
		}
		return err
	})
	return t, err
}

func readText(n int) string {
	const columns = "SELECT address, mac, family, expires FROM leases WHERE "
	return columns + "address IN (" + list(1, n) + ") UNION ALL " + columns + "mac IN (" + list(n+1, n) + ")"
}

// write brings the table to what t says.
func (t *leaseTable) write(ctx context.Context, tx *sql.Tx) error {
	var gone []any
	for a := range t.stored {
		if _, ok := t.byAddr[a]; !ok || t.fresh[a] {
			gone = append(gone, a)
		}
	}
	err := chunks(len(gone), func(from, to int) error {
		return exec(ctx, tx, "leases", "", "DELETE FROM leases WHERE address IN ("+list(1, to-from)+")", gone[from:to]...)
	})
	if err != nil {
		return err
	}
	put := make([]leaseRow, 0, len(t.fresh))
	for a := range t.fresh {
		put = append(put, t.byAddr[a])
	}
	args := make([]any, 0, leaseColumnsN*leaseChunks[0])
	return chunks(len(put), func(from, to int) error {
		args = args[:0]
		for _, l := range put[from:to] {
			args = append(args, l.address, l.mac, l.family, l.hostname, l.start, l.expires, l.detail)
		}
		return exec(ctx, tx, "leases", "", leaseText(to-from), args...)
	})
}
