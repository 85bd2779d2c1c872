package store

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"appliance/pool"
)

// What an engine at work writes all the time is put into JSON by hand: by
// reflection it costs more than to store it. TestEncode compares the two.

// handmade says of which rows all fields are written here: one that got another
// field is written by reflection until that is added, so that none is lost.
var handmade = struct{ step, task, instance, event, boot, lease bool }{
	has[pool.Step](25), has[pool.Task](2), has[pool.Instance](25), has[pool.Event](15), has[pool.BootEvent](15), has[leaseDetail](3) && has[pool.LeasePlace](3),
}

func has[T any](fields int) bool { return reflect.TypeFor[T]().NumField() == fields }

// object is a JSON object in the making. Its first error stays.
type object struct {
	b   []byte
	err error
}

// name begins a field; text that comes after it is its value.
func (o *object) name(n string) {
	if len(o.b) > 0 && o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), n...), '"', ':')
}

func (o *object) text(n, v string) {
	o.name(n)
	for i := range len(v) {
		if c := v[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			o.value(v)
			return
		}
	}
	o.b = append(append(append(o.b, '"'), v...), '"')
}

// some writes a text unless it is empty, number a number unless it is 0, and so on.
func (o *object) some(n, v string) {
	if v != "" {
		o.text(n, v)
	}
}

func (o *object) number(n string, v int64) {
	o.name(n)
	o.b = strconv.AppendInt(o.b, v, 10)
}

func (o *object) count(n string, v int) {
	if v != 0 {
		o.number(n, int64(v))
	}
}

func (o *object) yes(n string, v bool) {
	if v {
		o.flag(n, v)
	}
}

func (o *object) flag(n string, v bool) {
	o.name(n)
	o.b = strconv.AppendBool(o.b, v)
}

func (o *object) time(n string, t time.Time) {
	o.name(n)
	b, err := t.AppendText(append(o.b, '"'))
	if o.b = append(b, '"'); err != nil && o.err == nil {
		o.err = err
	}
}

func (o *object) when(n string, t time.Time) {
	if !t.IsZero() {
		o.time(n, t)
	}
}

// raw writes what is JSON already.
func (o *object) raw(n string, v json.RawMessage) {
	if len(v) == 0 {
		return
	}
	if !json.Valid(v) && o.err == nil {
		o.err = fmt.Errorf("%w: %s is not JSON", pool.ErrInvalid, n)
	}
	o.name(n)
	o.b = append(o.b, v...)
}

// value writes anything, by reflection.
func (o *object) value(v any) {
	b, err := json.Marshal(v)
	if o.b = append(o.b, b...); err != nil && o.err == nil {
		o.err = err
	}
}

// cause writes what a failure left behind.
func (o *object) cause(c *pool.Cause) {
	if c != nil {
		o.name("cause")
		o.value(c)
	}
}

// end returns the object as a document.
func (o *object) end() (string, error) {
	return string(append(o.b, '}')), o.err
}

// stepText is the document of a step with another Rev.
func stepText(b []byte, s *pool.Step, rev int64) (string, error) {
	if !handmade.step || !handmade.task {
		next := *s
		next.Rev = rev
		return text(next)
	}
	o := object{b: append(b[:0], '{')}
	o.text("key", s.Key)
	o.text("owner", s.Owner)
	o.text("machine", s.Machine)
	o.number("seq", int64(s.Seq))
	o.count("round", s.Round)
	o.text("name", s.Name)
	o.text("executor", string(s.Executor))
	o.some("mode", string(s.Mode))
	o.flag("idempotent", s.Idempotent)
	o.yes("verifying", s.Verifying)
	o.text("status", string(s.Status))
	o.number("attempt", int64(s.Attempt))
	o.number("tries", int64(s.Tries))
	o.number("epoch", s.Epoch)
	o.some("bootId", s.BootID)
	o.number("timeout", int64(s.Timeout))
	o.when("deadline", s.Deadline)
	o.when("notBefore", s.NotBefore)
	o.when("startedAt", s.StartedAt)
	o.when("endedAt", s.EndedAt)
	if s.Task != nil {
		o.name("task")
		o.b = append(o.b, '{')
		o.text("kind", string(s.Task.Kind))
		o.raw("params", s.Task.Params)
		o.b = append(o.b, '}')
	}
	o.raw("result", s.Result)
	o.some("output", s.Output)
	o.cause(s.Cause)
	o.number("rev", rev)
	return o.end()
}

// instanceText is the document of an instance with another Rev.
func instanceText(b []byte, in *pool.Instance, rev int64) (string, error) {
	if !handmade.instance {
		next := *in
		next.Rev = rev
		return text(next)
	}
	o := object{b: append(b[:0], '{')}
	o.text("id", in.ID)
	o.text("service", in.Service)
	o.number("number", int64(in.Number))
	o.count("revision", in.Revision)
	o.count("next", in.Next)
	o.count("round", in.Round)
	o.some("machine", in.Machine)
	o.some("prefer", in.Prefer)
	o.text("phase", string(in.Phase))
	o.some("step", in.Step)
	o.some("endpoint", in.Endpoint)
	o.cause(in.Cause)
	o.time("createdAt", in.CreatedAt)
	o.time("updatedAt", in.UpdatedAt)
	o.when("runningAt", in.RunningAt)
	o.yes("wipe", in.Wipe)
	o.some("watch", in.Watch)
	o.some("bootId", in.BootID)
	o.count("stops", in.Stops)
	o.count("failures", in.Failures)
	o.when("notBefore", in.NotBefore)
	if in.Heal != nil {
		o.name("heal")
		o.value(in.Heal)
	}
	if in.Storage != nil {
		o.name("storage")
		o.value(in.Storage)
	}
	o.yes("reinstall", in.Reinstall)
	o.number("rev", rev)
	return o.end()
}

// eventText is the document of an event.
func eventText(b []byte, e *pool.Event) (string, error) {
	if !handmade.event {
		return text(e)
	}
	o := object{b: append(b[:0], '{')}
	o.number("seq", e.Seq)
	o.time("at", e.At)
	o.text("type", e.Type)
	o.text("severity", string(e.Severity))
	o.some("machine", e.Machine)
	o.some("service", e.Service)
	o.some("instance", e.Instance)
	o.some("operation", e.Operation)
	o.some("step", e.Step)
	o.some("by", e.By)
	o.some("digest", e.Digest)
	o.some("scope", e.Scope)
	o.some("attribute", e.Attribute)
	o.text("message", e.Message)
	o.cause(e.Cause)
	return o.end()
}

// bootText is the document of a boot event.
func bootText(b []byte, e *pool.BootEvent) (string, error) {
	if !handmade.boot {
		return text(e)
	}
	o := object{b: append(b[:0], '{')}
	o.number("seq", e.Seq)
	o.time("at", e.At)
	o.text("mac", macText(e.MAC))
	o.some("machine", e.Machine)
	o.text("stage", string(e.Stage))
	o.some("detail", e.Detail)
	if e.Address.IsValid() {
		o.text("address", e.Address.String())
	}
	if e.Bytes != 0 {
		o.number("bytes", e.Bytes)
	}
	if e.Took != 0 {
		o.number("took", int64(e.Took))
	}
	o.yes("failed", e.Failed)
	o.some("code", string(e.Code))
	o.some("class", e.Class)
	o.count("block", e.Block)
	o.count("window", e.Window)
	o.count("resent", e.Resent)
	return o.end()
}

// detailText is the document of what of a lease is only shown.
func detailText(b []byte, d *leaseDetail) (string, error) {
	if !handmade.lease {
		return text(d)
	}
	o := object{b: append(b[:0], '{')}
	o.some("clientId", d.ClientID)
	o.count("iaid", int(d.IAID))
	if d.Relay.IsValid() {
		o.text("relay", d.Relay.String())
	}
	o.some("circuit", d.Circuit)
	o.some("remote", d.Remote)
	return o.end()
}

// macText is a MAC as it is stored: empty for none.
func macText(m pool.MAC) string {
	if m.IsZero() {
		return ""
	}
	return m.String()
}
