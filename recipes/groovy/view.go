package groovy

import "slices"

// view is what a list shows a part of: what is removed from the list goes
// there too. Additions there after the view was taken do not show.
type view struct {
	// sync takes over the list's elements after a change; it says false when
	// the view cannot have them.
	sync func(elems []Value) bool
	sub  bool // of a list: it may also be set, added to and sorted
}

// synced tells what l shows a part of that l has changed from was.
func (l *List) synced(was []Value) error {
	if l.view == nil || l.view.sync(l.Elems) {
		return nil
	}
	l.Elems = was
	return frozen()
}

// become gives l other elements.
func (l *List) become(elems []Value) error {
	was := l.Elems
	l.Elems = elems
	return l.synced(was)
}

// fixed says whether methods that order a collection must leave l alone and
// give a new list.
func (l *List) fixed() bool { return l.frozen || l.view != nil && !l.view.sub }

// mapView is the list of values() or entrySet(); is says whether an element is
// that of the slot.
func (m *Map) mapView(elems []Value, is func(element Value, s slot) bool) *List {
	return &List{Elems: elems, view: &view{sync: func(elems []Value) bool {
		var gone []Value
		i := 0
		for _, s := range m.entries() {
			if i < len(elems) && is(elems[i], s) {
				i++
				continue
			}
			gone = append(gone, s.k)
		}
		if i < len(elems) || m.frozen && len(gone) > 0 {
			return false
		}
		for _, k := range gone {
			m.Delete(k)
		}
		return true
	}}}
}

// subList is List.subList.
func (l *List) subList(from, to int) *List {
	size := to - from
	return &List{Elems: slices.Clone(l.Elems[from:to]), class: l.class, frozen: l.frozen, view: &view{sub: true, sync: func(elems []Value) bool {
		if from+size > len(l.Elems) {
			return false
		}
		was := l.Elems
		l.Elems = slices.Concat(l.Elems[:from], elems, l.Elems[from+size:])
		size = len(elems)
		return l.synced(was) == nil
	}}}
}
