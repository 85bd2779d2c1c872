package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"appliance/pool"
)

// Service returns the service with the given name.
func (db *DB) Service(ctx context.Context, name string) (pool.Service, error) {
	s, err := cached(&db.cache, cacheKey{cachedService, name}, cloneService, func() (pool.Service, error) {
		s, err := doc[pool.Service](ctx, db.read, "SELECT doc FROM services WHERE name = $1", name)
		return deepCopy(s), err // so that what is appended to a shared list is not in it
	})
	return named(s, err, "service", name)
}

// Services returns all services by name, removed ones included.
func (db *DB) Services(ctx context.Context) ([]pool.Service, error) {
	list, err := settled(&db.cache, func() ([]pool.Service, error) {
		return docs[pool.Service](ctx, db.read, "SELECT doc FROM services ORDER BY name")
	})
	return named(list, err, "services", "")
}

// Instance returns the instance with the given ID.
func (db *DB) Instance(ctx context.Context, id string) (pool.Instance, error) {
	in, err := cached(&db.cache, cacheKey{cachedInstance, id}, shared, func() (*pool.Instance, error) {
		in, err := doc[pool.Instance](ctx, db.read, "SELECT doc FROM instances WHERE id = $1", id)
		return &in, err
	})
	if err != nil {
		return named(pool.Instance{}, err, "instance", id)
	}
	return cloneInstance(in), nil
}

// Instances returns the instances of service, or of all services when it is
// empty, by service and number.
func (db *DB) Instances(ctx context.Context, service string) ([]pool.Instance, error) {
	if service == "" {
		list, err := settled(&db.cache, func() ([]pool.Instance, error) { return db.instances(ctx, "") })
		return named(list, err, "instances of", service)
	}
	all, err := db.Siblings(ctx, service)
	list := make([]pool.Instance, len(all))
	for i, in := range all {
		list[i] = cloneInstance(in)
	}
	return list, err
}

// Siblings is Instances for who changes none of them: a service may have a
// thousand, and these are not copied.
func (db *DB) Siblings(ctx context.Context, service string) ([]*pool.Instance, error) {
	list, err := db.cache.siblings(service, func() ([]pool.Instance, error) { return db.instances(ctx, service) })
	return named(list, err, "instances of", service)
}

func (db *DB) instances(ctx context.Context, service string) ([]pool.Instance, error) {
	var q query
	q.add("SELECT doc FROM instances WHERE 1 = 1")
	q.and("service", service)
	q.add(" ORDER BY service, number, id")
	return docs[pool.Instance](ctx, db.read, q.sql.String(), q.args...)
}

// Template returns the template with the given name.
func (db *DB) Template(ctx context.Context, name string) (pool.Template, error) {
	t, err := cached(&db.cache, cacheKey{cachedTemplate, name}, deepCopy, func() (pool.Template, error) {
		return doc[pool.Template](ctx, db.read, "SELECT doc FROM templates WHERE name = $1", name)
	})
	return named(t, err, "template", name)
}

// Templates returns all templates by name.
func (db *DB) Templates(ctx context.Context) ([]pool.Template, error) {
	list, err := docs[pool.Template](ctx, db.read, "SELECT doc FROM templates ORDER BY name")
	return named(list, err, "templates", "")
}

// PutTemplate stores t in place of one of the same name.
func (db *DB) PutTemplate(ctx context.Context, t pool.Template) error {
	return db.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) error { return putTemplate(ctx, tx, t) })
}

func putTemplate(ctx context.Context, tx *sql.Tx, t pool.Template) error {
	if err := t.Check(); err != nil {
		return err
	}
	b, err := text(t)
	if err != nil {
		return err
	}
	return exec(ctx, tx, "template", t.Name, `
		INSERT INTO templates (name, doc) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET doc = excluded.doc`, t.Name, b)
}

// DeleteTemplate removes a template; pool.ErrNotFound when there is none.
func (db *DB) DeleteTemplate(ctx context.Context, name string) error {
	return db.remove(ctx, "template", name, "DELETE FROM templates WHERE name = $1", name)
}

// remove runs a DELETE that must hit.
func (db *DB) remove(ctx context.Context, what, name, text string, args ...any) error {
	return db.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, text, args...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return fmt.Errorf("delete %s %s: %w", what, name, pool.ErrNotFound)
	})
}

// PutRecipe stores a recipe's archive under its digest. A digest that is
// stored already gets the new description.
func (db *DB) PutRecipe(ctx context.Context, r pool.RecipeInfo, archive []byte) error {
	if r.Name == "" || r.Digest == "" || len(archive) == 0 {
		return fmt.Errorf("%w: recipe %q: has no name, no digest or no archive", pool.ErrInvalid, r.Name)
	}
	b, err := text(r)
	if err != nil {
		return err
	}
	return db.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return exec(ctx, tx, "recipe", r.Name, `
			INSERT INTO recipes (digest, name, put_at, doc, archive) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (digest) DO UPDATE SET name = excluded.name, put_at = excluded.put_at, doc = excluded.doc, archive = excluded.archive`,
			r.Digest, r.Name, time.Now().UTC(), b, archive)
	})
}

// Recipe returns the recipe with the given digest.
func (db *DB) Recipe(ctx context.Context, digest string) (r pool.RecipeInfo, archive []byte, err error) {
	var b []byte
	err = kind(db.read.QueryRowContext(ctx, "SELECT doc, archive FROM recipes WHERE digest = $1", digest).Scan(&b, &archive))
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		return r, nil, fmt.Errorf("read recipe %s: %w", digest, err)
	}
	return r, archive, nil
}

// Recipes returns the recipes by name: of each name the one stored last.
func (db *DB) Recipes(ctx context.Context) ([]pool.RecipeInfo, error) {
	list, err := docs[pool.RecipeInfo](ctx, db.read, `
		SELECT doc FROM recipes r
		WHERE digest = (SELECT digest FROM recipes o WHERE o.name = r.name ORDER BY put_at DESC, digest LIMIT 1)
		ORDER BY name`)
	return named(list, err, "recipes", "")
}
