package groovy

import (
	"math"
	mrand "math/rand/v2"
)

// javaRandom is java.util.Random: the same numbers for the same seed.
type javaRandom struct {
	seed  int64
	spare float64 // a second nextGaussian
	saved bool
}

func (r *javaRandom) next(bits uint) int32 {
	r.seed = (r.seed*0x5DEECE66D + 0xB) & (1<<48 - 1)
	return int32(r.seed >> (48 - bits))
}

func (r *javaRandom) nextInt(bound int32) int32 {
	if bound&-bound == bound {
		return int32(int64(bound) * int64(r.next(31)) >> 31)
	}
	for {
		bits := r.next(31)
		if v := bits % bound; bits-v+(bound-1) >= 0 {
			return v
		}
	}
}

func (r *javaRandom) nextDouble() float64 {
	return float64(int64(r.next(26))<<27+int64(r.next(27))) / float64(int64(1)<<53)
}

func randomClass() *Class {
	return &Class{Name: "Random", New: func(_ *Thread, a []Value) (Value, error) {
		seed := mrand.Int64()
		if len(a) == 1 {
			seed = toInt(a[0])
		}
		r := &javaRandom{seed: (seed ^ 0x5DEECE66D) & (1<<48 - 1)}
		return r, nil
	}}
}

// Type names the class.
func (*javaRandom) Type() string { return "java.util.Random" }

// Get and Set know no properties.
func (*javaRandom) Get(*Thread, string) (Value, error) { return nil, ErrNoMember }

// Set refuses.
func (*javaRandom) Set(*Thread, string, Value) error { return ErrNoMember }

// Call gives the next number.
func (r *javaRandom) Call(t *Thread, id string, a []Value) (Value, error) {
	switch id {
	case "nextInt":
		if len(a) == 0 {
			return int64(r.next(32)), nil
		}
		n := toInt(a[0])
		if n <= 0 || n > math.MaxInt32 {
			return nil, Throw("IllegalArgumentException", "bound must be positive")
		}
		return int64(r.nextInt(int32(n))), nil
	case "nextLong":
		return Long(int64(r.next(32))<<32 + int64(r.next(32))), nil
	case "nextBoolean":
		return r.next(1) != 0, nil
	case "nextDouble":
		return r.nextDouble(), nil
	case "nextGaussian":
		return r.nextGaussian(), nil
	case "setSeed":
		*r = javaRandom{seed: (toInt(arg(a, 0)) ^ 0x5DEECE66D) & (1<<48 - 1)}
		return nil, nil
	case "nextBytes":
		return r.nextBytes(t, arg(a, 0))
	case "nextFloat":
		return Float(float32(r.next(24)) / (1 << 24)), nil
	}
	return nil, ErrNoMember
}

// nextGaussian is Marsaglia's polar method, as java.util.Random has it.
func (r *javaRandom) nextGaussian() float64 {
	if r.saved {
		r.saved = false
		return r.spare
	}
	for {
		x, y := 2*r.nextDouble()-1, 2*r.nextDouble()-1
		s := x*x + y*y
		if s >= 1 || s == 0 {
			continue
		}
		f := math.Sqrt(-2 * math.Log(s) / s)
		r.spare, r.saved = y*f, true
		return x * f
	}
}

func (r *javaRandom) nextBytes(t *Thread, v Value) (Value, error) {
	l, ok := v.(*List)
	if !ok {
		return nil, ErrNoMember
	}
	for i := 0; i < len(l.Elems); i += 4 {
		n := r.next(32)
		for j := i; j < min(i+4, len(l.Elems)); j++ {
			l.Elems[j] = int64(int8(n))
			n >>= 8
		}
	}
	return nil, t.charge(len(l.Elems))
}

// shuffle is Collections.shuffle with the generator r.
func (r *javaRandom) shuffle(list []Value) {
	for i := len(list); i > 1; i-- {
		j := r.nextInt(int32(i))
		list[i-1], list[j] = list[j], list[i-1]
	}
}
