package store

import (
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"appliance/pool"
)

// fill sets each exported field that v leads to, or leaves it out, at random.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(r.Int64N(4e9), r.Int64N(1e9)).UTC()))
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{10, byte(r.Uint32()), 0, 1})))
		return
	case json.RawMessage:
		v.SetBytes([]byte(`{"a":[1,"x"]}`))
		return
	case pool.MAC:
		v.Set(reflect.ValueOf(pool.MAC{2, 0, 0, byte(r.Uint32()), byte(r.Uint32()), 1}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		texts := []string{"x", "in-7/install/1", "a \"b\" \\ <c> & d\n\x00", "Grüße …", "\xff"}
		v.SetString(texts[r.IntN(len(texts))])
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64N(1<<40) - 1<<20)
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64N(1 << 32))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(r, v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && r.IntN(4) > 0 {
				fill(r, v.Field(i))
			}
		}
	default:
		panic("a row has a field of a new kind: " + v.Type().String())
	}
}

// TestEncode: what is written by hand is what encoding/json writes, so that a
// field which is added to a row is not forgotten here.
func TestEncode(t *testing.T) {
	if h := handmade; !h.step || !h.task || !h.instance || !h.event || !h.boot || !h.lease {
		t.Errorf("a row has got a field or lost one: add it to encode.go and count again: steps %d, tasks %d, instances %d, events %d, boot events %d",
			reflect.TypeFor[pool.Step]().NumField(), reflect.TypeFor[pool.Task]().NumField(), reflect.TypeFor[pool.Instance]().NumField(),
			reflect.TypeFor[pool.Event]().NumField(), reflect.TypeFor[pool.BootEvent]().NumField())
	}
	r := rand.New(rand.NewPCG(1, 2))
	check := func(v any, got string, err error) {
		t.Helper()
		want, werr := json.Marshal(v)
		if err != nil || werr != nil || got != string(want) {
			t.Fatalf("%T:\n got %s, %v\nwant %s, %v", v, got, err, want, werr)
		}
	}
	var buf []byte
	for range 2000 {
		var s pool.Step
		fill(r, reflect.ValueOf(&s).Elem())
		got, err := stepText(buf, &s, s.Rev)
		check(s, got, err)
		var in pool.Instance
		fill(r, reflect.ValueOf(&in).Elem())
		got, err = instanceText(buf, &in, in.Rev)
		check(in, got, err)
		var e pool.Event
		fill(r, reflect.ValueOf(&e).Elem())
		got, err = eventText(buf, &e)
		check(e, got, err)
		var b pool.BootEvent
		fill(r, reflect.ValueOf(&b).Elem())
		got, err = bootText(buf, &b)
		check(b, got, err)
		var d leaseDetail
		fill(r, reflect.ValueOf(&d).Elem())
		got, err = detailText(buf, &d)
		check(d, got, err)
	}
	bad := pool.Step{Result: json.RawMessage(`{`)}
	if _, err := stepText(buf, &bad, 1); err == nil {
		t.Error("a result that is no JSON was taken")
	}
	old := pool.Event{At: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)}
	if _, err := eventText(buf, &old); err == nil {
		t.Error("a time before all years was taken")
	}
}

// TestClones: a field that leads elsewhere is not forgotten where rows are
// copied by hand.
func TestClones(t *testing.T) {
	if n := len(shapeOf(reflect.TypeFor[pool.Instance]()).fields); n != 3 {
		t.Errorf("%d fields of an instance point elsewhere: see cloneInstance", n)
	}
	if n := len(shapeOf(reflect.TypeFor[pool.Service]()).fields); n != 6 {
		t.Errorf("%d fields of a service point elsewhere: see cloneService", n)
	}
}
