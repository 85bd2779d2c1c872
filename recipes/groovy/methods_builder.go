package groovy

import (
	"slices"
	"strings"
)

// builderMethods are those of StringBuilder, StringBuffer and StringWriter.
func builderMethods() methods {
	add := func(end string) method {
		return on(0, 3, func(t *Thread, b *builder, a []Value) (Value, error) {
			if len(a) == 0 {
				return b, t.appendTo(b, end)
			}
			s, err := t.toString(a[0])
			if err != nil {
				return nil, err
			}
			return b, t.appendTo(b, s+end)
		})
	}
	none := on(0, 0, func(*Thread, *builder, []Value) (Value, error) { return nil, nil })
	return methods{
		"append": add(""), "write": add(""), "print": add(""), "leftShift": add(""), "println": add("\n"),
		"newLine": on(0, 0, func(t *Thread, b *builder, _ []Value) (Value, error) { return b, t.appendTo(b, "\n") }),
		"printf": on(1, -1, func(t *Thread, b *builder, a []Value) (Value, error) {
			s, err := t.sprintf(unpacked(a))
			if err != nil {
				return nil, err
			}
			return b, t.appendTo(b, Format(s))
		}),
		"flush": none, "close": none,
		"getBuffer": on(0, 0, func(_ *Thread, b *builder, _ []Value) (Value, error) { return b, nil }),
		"setLength": on(1, 1, func(t *Thread, b *builder, a []Value) (Value, error) {
			n := toInt(a[0])
			if n < 0 || n > maxString {
				return nil, Throw("StringIndexOutOfBoundsException", "String index out of range: %d", n)
			}
			if n <= int64(len(b.b)) {
				b.b = b.b[:n]
				return nil, nil
			}
			return nil, t.appendTo(b, strings.Repeat("\x00", int(n)-len(b.b)))
		}),
		"insert": on(2, 2, func(t *Thread, b *builder, a []Value) (Value, error) {
			i := toInt(a[0])
			s, err := t.toString(a[1])
			if err != nil {
				return nil, err
			}
			if i < 0 || i > int64(len(b.b)) {
				return nil, Throw("StringIndexOutOfBoundsException", "offset %d, length %d", i, len(b.b))
			}
			b.b = slices.Insert(b.b, int(i), []byte(s)...)
			return b, t.grow(len(b.b), 1)
		}),
		"reverse": on(0, 0, func(t *Thread, b *builder, _ []Value) (Value, error) {
			b.b = []byte(reversed(string(b.b)))
			return b, t.charge(len(b.b) / 64)
		}),
		"deleteCharAt": on(1, 1, func(t *Thread, b *builder, a []Value) (Value, error) { return b.remove(toInt(a[0]), toInt(a[0])+1) }),
		"delete":       on(2, 2, func(t *Thread, b *builder, a []Value) (Value, error) { return b.remove(toInt(a[0]), toInt(a[1])) }),
		"replace": on(3, 3, func(t *Thread, b *builder, a []Value) (Value, error) {
			from, to := toInt(a[0]), min(toInt(a[1]), int64(len(b.b)))
			if from < 0 || from > to {
				return nil, Throw("StringIndexOutOfBoundsException", "start %d, end %d, length %d", from, to, len(b.b))
			}
			b.b = slices.Replace(b.b, int(from), int(to), []byte(Format(a[2]))...)
			return b, t.grow(len(b.b), 1)
		}),
	}
}

func (b *builder) remove(from, to int64) (Value, error) {
	to = min(to, int64(len(b.b)))
	if from < 0 || from > to || from == to && from == int64(len(b.b)) && from > 0 {
		return nil, Throw("StringIndexOutOfBoundsException", "start %d, end %d, length %d", from, to, len(b.b))
	}
	b.b = slices.Delete(b.b, int(from), int(to))
	return b, nil
}

// appendTo adds the text of v.
func (t *Thread) appendTo(b *builder, v Value) error {
	s, err := t.toString(v)
	if err != nil {
		return err
	}
	if len(b.b)+len(s) > maxString*2 {
		return t.grow(len(b.b)+len(s), 2)
	}
	b.b = append(b.b, s...)
	return t.Alloc(2 * len(s))
}
