package groovy

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// mapKind says in which order a map or set is walked.
type mapKind uint8

const (
	linked mapKind = iota // order of insertion
	hashed                // as java.util.HashMap orders
	sorted                // by key
	config                // as linked; answers an unknown property with a new map
	props                 // as java.util.Properties orders
)

func (k mapKind) name() string {
	return [...]string{"java.util.LinkedHashMap", "java.util.HashMap", "java.util.TreeMap", "groovy.util.ConfigObject", "java.util.Properties"}[k]
}

func (k mapKind) setName() string {
	return [...]string{"java.util.LinkedHashSet", "java.util.HashSet", "java.util.TreeSet", "java.util.LinkedHashSet", "java.util.HashSet"}[k]
}

// Map is a map. The zero value is an empty LinkedHashMap.
type Map struct {
	slots  []slot
	index  map[any]int // nil while there are few slots
	live   int
	peak   int // most entries it ever had, for the order of a HashMap
	kind   mapKind
	frozen bool
	deflt  *Closure             // withDefault
	table  int                  // of a HashMap: the places it begins with; 0: 16
	order  func(a, b Value) int // of a sorted map; nil: as compare has it
}

type slot struct {
	k, v Value
	dead bool
}

// few is the number of slots that are searched one by one.
const few = 8

// NewMap makes an empty map.
func NewMap() *Map { return &Map{} }

// keyOf is what stands for k in an index: equal keys give equal results.
func keyOf(k Value) any {
	switch k := k.(type) {
	case int64:
		if k != int64(int32(k)) {
			return Long(k)
		}
		return k
	case nil, string, bool, Long, Byte, Char, float64, Float, Enum:
		return k
	case *Decimal:
		return textKey{'d', k.String()}
	case *big.Int:
		return textKey{'i', k.String()}
	case *List:
		return textKey{'l', deepKey(k)}
	case *Set:
		return textKey{'s', deepKey(k)}
	case *Map:
		return textKey{'m', deepKey(k)}
	case *Range:
		return textKey{'l', deepKey(k.small())}
	case *instance:
		if h, ok := k.ownHash(); ok {
			return hashKey{h, 0}
		}
		if k.class.valued != nil {
			return textKey{'o', deepKey(k)}
		}
	case interface{ Key() string }:
		return textKey{'h', k.Key()}
	}
	return k
}

type textKey struct {
	kind byte
	text string
}

// hashKey stands for the n-th of the keys that have one hash and whose class
// says which of them are equal.
type hashKey struct {
	hash int32
	n    int
}

// deepKey is a text that equal collections share.
func deepKey(v Value) string {
	f := &formatter{keys: true}
	f.value(v, 0)
	return f.b.String()
}

// find is the slot of k; -1 when there is none. What looks for it may run
// methods of a script, which may change the map.
func (m *Map) find(k Value) int {
	if i := m.look(k); i < 0 || i < len(m.slots) && !m.slots[i].dead {
		return i
	}
	return -1
}

func (m *Map) look(k Value) int {
	if m.kind == sorted {
		i, ok := m.search(k)
		if !ok {
			return -1
		}
		return i
	}
	if s, ok := k.(string); ok && m.index == nil {
		for i := range m.slots {
			if x, ok := m.slots[i].k.(string); ok && x == s && !m.slots[i].dead {
				return i
			}
		}
		return -1
	}
	key := keyOf(k)
	if h, ok := key.(hashKey); ok {
		return m.findOwn(k.(*instance), h)
	}
	if m.index != nil {
		if i, ok := m.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range m.slots {
		if !m.slots[i].dead && keyOf(m.slots[i].k) == key {
			return i
		}
	}
	return -1
}

// findOwn is find for an object whose class has equals and hashCode.
func (m *Map) findOwn(k *instance, h hashKey) int {
	is := func(i int) bool {
		same, _ := k.ownEqual(m.slots[i].k, false)
		return same
	}
	if m.index == nil {
		return slices.IndexFunc(m.slots, func(s slot) bool {
			if s.dead || keyOf(s.k) != h {
				return false
			}
			same, _ := k.ownEqual(s.k, false)
			return same
		})
	}
	for ; ; h.n++ {
		if i, ok := m.index[h]; !ok || is(i) {
			return choose(ok, i, -1)
		}
	}
}

// enter puts slot i into the index.
func (m *Map) enter(i int) {
	if i >= len(m.slots) {
		return
	}
	key := keyOf(m.slots[i].k)
	if m.index == nil { // hashCode emptied the map
		return
	}
	for h, ok := key.(hashKey); ok; key = h {
		if _, ok = m.index[h]; ok {
			h.n++
		}
	}
	m.index[key] = i
}

// drop takes slot i, of key k, out of the index.
func (m *Map) drop(k Value, i int) {
	key := keyOf(k)
	h, own := key.(hashKey)
	if !own {
		delete(m.index, key)
		return
	}
	last := h
	for at, ok := m.index[h]; ok; at, ok = m.index[last] {
		if at == i {
			h = last
		}
		last.n++
	}
	last.n--
	if at, ok := m.index[h]; ok && at == i {
		m.index[h] = m.index[last]
		delete(m.index, last)
	}
}

// search finds k in a sorted map, or the place where it belongs.
func (m *Map) search(k Value) (int, bool) {
	return slices.BinarySearchFunc(m.slots, k, func(s slot, k Value) int {
		if m.order != nil {
			return m.order(s.k, k)
		}
		n, err := compare(s.k, k)
		if err != nil {
			return strings.Compare(Format(s.k), Format(k))
		}
		return n
	})
}

// Get returns the value of k.
func (m *Map) Get(k Value) (Value, bool) {
	if i := m.find(k); i >= 0 {
		return m.slots[i].v, true
	}
	return nil, false
}

// Put sets the value of k.
func (m *Map) Put(k, v Value) {
	if g, ok := k.(*lazyString); ok {
		k = Format(g)
	}
	if i := m.find(k); i >= 0 {
		m.slots[i].v = v
		return
	}
	m.live++
	m.peak = max(m.peak, m.live)
	if m.kind == sorted {
		i, _ := m.search(k)
		m.slots = slices.Insert(m.slots, min(i, len(m.slots)), slot{k: k, v: v})
		return
	}
	if m.index == nil && len(m.slots) >= few {
		m.reindex()
	}
	if m.index != nil {
		m.slots = append(m.slots, slot{k: k, v: v})
		m.enter(len(m.slots) - 1)
		return
	}
	m.slots = append(m.slots, slot{k: k, v: v})
}

func (m *Map) reindex() {
	m.slots = slices.DeleteFunc(m.slots, func(s slot) bool { return s.dead })
	m.index = nil
	if len(m.slots) < few {
		return
	}
	m.index = make(map[any]int, 2*len(m.slots))
	for i := range m.slots {
		m.enter(i)
	}
}

// Delete removes k and returns what it held.
func (m *Map) Delete(k Value) Value {
	i := m.find(k)
	if i < 0 {
		return nil
	}
	v := m.slots[i].v
	m.live--
	if m.index == nil {
		m.slots = slices.Delete(m.slots, i, i+1)
		return v
	}
	if m.drop(k, i); i < len(m.slots) {
		m.slots[i] = slot{dead: true}
	}
	if len(m.slots) > 4*few && m.live < len(m.slots)/2 {
		m.reindex()
	}
	return v
}

func (m *Map) clear() { m.slots, m.index, m.live = nil, nil, 0 }

// Keys are the keys in the order of the map.
func (m *Map) Keys() []Value {
	keys := make([]Value, 0, m.live)
	for _, s := range m.entries() {
		keys = append(keys, s.k)
	}
	return keys
}

// entries are the live slots in the order of the map; they are not to be
// kept over a change.
func (m *Map) entries() []slot {
	if m.kind == hashed || m.kind == props {
		return m.hashOrder()
	}
	if m.live == len(m.slots) {
		return m.slots
	}
	m.reindex()
	return m.slots
}

// hashOrder is the order in which java.util.HashMap walks its table.
func (m *Map) hashOrder() []slot {
	size := max(m.table, choose(m.table == 0, 16, 1))
	for m.peak*4 > size*3 || m.kind == props && m.peak*4 == size*3 { // its table grows one sooner
		size *= 2
	}
	out := make([]slot, 0, m.live)
	for _, s := range m.slots {
		if !s.dead {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b slot) int { return bucket(a.k, size) - bucket(b.k, size) })
	return out
}

func bucket(k Value, size int) int {
	h := uint32(hashCode(k))
	return int((h ^ h>>16) & uint32(size-1))
}

// Len is the number of entries.
func (m *Map) Len() int { return m.live }

func (m *Map) clone() *Map {
	c := &Map{kind: m.kind, live: m.live, peak: m.live, deflt: m.deflt, order: m.order}
	c.slots = slices.Clone(m.entries())
	if m.kind == hashed || m.kind == props {
		c.slots = slices.DeleteFunc(slices.Clone(m.slots), func(s slot) bool { return s.dead })
	}
	if m.index != nil && c.kind != sorted {
		c.reindex()
	}
	return c
}

func (m *Map) putAll(o *Map) {
	for _, s := range slices.Clone(o.entries()) {
		m.Put(s.k, s.v)
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
