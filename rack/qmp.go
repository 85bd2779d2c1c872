package rack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
)

// qmp is a session of the QEMU Machine Protocol (QEMU's docs/interop/qmp-spec):
// commands one at a time, events by a channel.
type qmp struct {
	conn    net.Conn
	events  chan string   // names; closed when the session has ended
	answers chan answer   // of the command that waits
	done    chan struct{} // closed when the session has ended

	mu sync.Mutex // one command at a time
	id int
}

type answer struct {
	ID     string          `json:"id"`
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Class string `json:"class"`
		Desc  string `json:"desc"`
	} `json:"error"`
	Event string          `json:"event"`
	QMP   json.RawMessage `json:"QMP"`
}

// errGone is returned for a command to a QEMU that has ended.
var errGone = errors.New("QEMU has ended")

// openQMP waits for QEMU's greeting and leaves capability negotiation. It owns
// conn from then on; its goroutine ends when conn does.
func openQMP(ctx context.Context, conn net.Conn) (*qmp, error) {
	q := &qmp{conn: conn, events: make(chan string, 256), answers: make(chan answer, 1), done: make(chan struct{})}
	go q.read()
	if err := q.run(ctx, "qmp_capabilities", nil, nil); err != nil {
		return nil, errors.Join(err, q.close())
	}
	return q, nil
}

func (q *qmp) close() error {
	err := q.conn.Close()
	<-q.done
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (q *qmp) read() {
	defer close(q.done)
	defer close(q.events)
	d := json.NewDecoder(q.conn)
	for {
		var a answer
		if err := d.Decode(&a); err != nil {
			return
		}
		switch {
		case a.Event != "":
			select {
			case q.events <- a.Event:
			default: // nobody listens; QEMU must not be held up by that
			}
		case a.QMP != nil: // the greeting
		default:
			select {
			case <-q.answers: // of a command that nobody waits for any more
			default:
			}
			q.answers <- a
		}
	}
}

// run executes one command and decodes its result into out unless that is nil.
func (q *qmp) run(ctx context.Context, command string, args, out any) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.id++
	id := strconv.Itoa(q.id)
	b, err := json.Marshal(struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
		ID        string `json:"id"`
	}{command, args, id})
	if err != nil {
		return fmt.Errorf("run %s: %w", command, err)
	}
	if _, err := q.conn.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("run %s: %w", command, errGone)
	}
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("run %s: %w", command, ctx.Err())
		case <-q.done:
			return fmt.Errorf("run %s: %w", command, errGone)
		case a := <-q.answers:
			if a.ID != id {
				continue // late
			}
			if a.Error != nil {
				return fmt.Errorf("run %s: %s: %s", command, a.Error.Class, a.Error.Desc)
			}
			if out == nil {
				return nil
			}
			if err := json.Unmarshal(a.Return, out); err != nil {
				return fmt.Errorf("run %s: decode result: %w", command, err)
			}
			return nil
		}
	}
}
