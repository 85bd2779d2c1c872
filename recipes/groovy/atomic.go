package groovy

// atomic is a value of java.util.concurrent.atomic: a number, a boolean or a
// reference that methods change.
type atomic struct {
	class string
	v     Value
}

func atomicClasses() []*Class {
	var list []*Class
	for id, zero := range map[string]Value{"AtomicInteger": int64(0), "AtomicLong": Long(0), "AtomicBoolean": false, "AtomicReference": nil} {
		list = append(list, &Class{Name: id, New: func(_ *Thread, a []Value) (Value, error) {
			x := &atomic{"java.util.concurrent.atomic." + id, zero}
			if len(a) == 1 {
				x.v = x.as(a[0])
			}
			return x, nil
		}})
	}
	return list
}

// as is v in the class of the values that x holds.
func (x *atomic) as(v Value) Value {
	switch x.v.(type) {
	case int64:
		return int64(int32(toInt(v)))
	case Long:
		return Long(toInt(v))
	case bool:
		return Truth(v)
	}
	return v
}

// Type names the class.
func (x *atomic) Type() string { return x.class }

// Get and Set know no properties.
func (*atomic) Get(*Thread, string) (Value, error) { return nil, ErrNoMember }

// Set refuses.
func (*atomic) Set(*Thread, string, Value) error { return ErrNoMember }

// Call reads and changes the value.
func (x *atomic) Call(t *Thread, id string, a []Value) (Value, error) {
	old := x.v
	switch {
	case id == "toString" && len(a) == 0:
		return text(t.toString(x))
	case len(a) == 0 && (id == "get" || id == "intValue" || id == "longValue"):
		return old, nil
	case len(a) == 1 && (id == "set" || id == "lazySet"):
		x.v = x.as(a[0])
		return nil, nil
	case len(a) == 1 && id == "getAndSet":
		x.v = x.as(a[0])
		return old, nil
	case len(a) == 2 && id == "compareAndSet":
		same := identical(old, x.as(a[0]))
		if same {
			x.v = x.as(a[1])
		}
		return same, nil
	case len(a) == 1 && (id == "updateAndGet" || id == "getAndUpdate"):
		v, err := t.callValue(a[0], []Value{old})
		if err != nil {
			return nil, err
		}
		x.v = x.as(v)
		return choose(id == "updateAndGet", x.v, old), nil
	}
	return x.add(id, a)
}

// add are the methods that add to a number.
func (x *atomic) add(id string, a []Value) (Value, error) {
	old := x.v
	if rankOf(old) == 0 {
		return nil, ErrNoMember
	}
	by, ok := map[string]int64{"incrementAndGet": 1, "getAndIncrement": 1, "decrementAndGet": -1, "getAndDecrement": -1}[id]
	if id == "addAndGet" || id == "getAndAdd" {
		by, ok = toInt(arg(a, 0)), len(a) == 1
	}
	if !ok {
		return nil, ErrNoMember
	}
	x.v = x.as(Long(toInt(old) + by))
	return choose(id[:3] == "get", old, x.v), nil
}
