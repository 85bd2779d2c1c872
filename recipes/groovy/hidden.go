package groovy

// A class may have a field of the name of one that it inherits. An object then
// has both: code of the ancestor sees the ancestor's, all other code the newer.

// declares is the class that a field is of: c or an ancestor.
func (c *scriptClass) declares(id string) *scriptClass {
	for ; c != nil; c = c.parent {
		for _, f := range c.decl.fields {
			if f.ids[0] == id {
				return c
			}
		}
	}
	return nil
}

// hiddenKey is where an object keeps the field of the ancestor d.
func hiddenKey(d *scriptClass, id string) string { return "\x00" + d.decl.id + "." + id }

// view is the key of the field id of x for the code that runs.
func (t *Thread) view(x *instance, id string) string {
	if t.frame == nil {
		return id
	}
	return x.viewOf(t.frame.class, id)
}

// viewOf is the key of the field id for code of the class k.
func (x *instance) viewOf(k *scriptClass, id string) string {
	if k == nil || k == x.class {
		return id
	}
	key := id
	for c := x.class; c != k; c = c.parent {
		if c == nil {
			return id // k is no ancestor
		}
		if d := c.hides[id]; d != nil {
			key = hiddenKey(d, id)
		}
	}
	if key != id && !x.fields.Has(key) {
		return id // the newer one is not there yet
	}
	return key
}

// hide sets the ancestors' fields aside that c has, too.
func (o *instance) hide(c *scriptClass) {
	for id, d := range c.hides {
		v, _ := o.fields.Get(id)
		o.fields.Put(hiddenKey(d, id), v)
	}
}
