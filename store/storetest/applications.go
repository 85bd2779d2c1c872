package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"appliance/pool"
)

func applications(t *testing.T, s Store) {
	ctx := t.Context()
	app := pool.Application{Name: "shop", Recipe: pool.RecipeInfo{Name: "shop", Members: []string{"sha256:1"}}, Services: []string{"shop.db"},
		Phase: pool.ServiceDeploying, By: "me", CreatedAt: now()}
	svc := pool.Service{Name: "shop.db", Application: "shop", Revision: 1, Phase: pool.ServiceDeploying}
	one := pool.Revision{Service: "shop.db", Number: 1, Recipe: pool.RecipeInfo{Name: "db", Digest: "sha256:1"}, Image: "debian", By: "me", At: now()}
	must(t, s.Apply(ctx, &pool.Change{Applications: []*pool.Application{&app}, Services: []*pool.Service{&svc}, Revisions: []*pool.Revision{&one}}))
	if got, err := s.Application(ctx, "shop"); err != nil || !cmp.Equal(app, got, same) || got.Rev != 1 {
		t.Errorf("Application = %+v, %v, want %+v", got, err, app)
	}
	if list, err := s.Applications(ctx); err != nil || len(list) != 1 {
		t.Errorf("Applications = %+v, %v", list, err)
	}
	two := pool.Revision{Service: "shop.db", Number: 2, Recipe: pool.RecipeInfo{Name: "db", Digest: "sha256:2"}}
	must(t, s.Apply(ctx, &pool.Change{Revisions: []*pool.Revision{&two}}))
	want(t, "a revision again", s.Apply(ctx, &pool.Change{Revisions: []*pool.Revision{&two}}), pool.ErrConflict)
	want(t, "revision 0", s.Apply(ctx, &pool.Change{Revisions: []*pool.Revision{{Service: "shop.db"}}}), pool.ErrInvalid)
	if got, err := s.Revision(ctx, "shop.db", 1); err != nil || !cmp.Equal(one, got, same) {
		t.Errorf("Revision = %+v, %v, want %+v", got, err, one)
	}
	if list, err := s.Revisions(ctx, "shop.db"); err != nil || len(list) != 2 || list[1].Number != 2 {
		t.Errorf("Revisions = %+v, %v", list, err)
	}
	_, err := s.Revision(ctx, "shop.db", 3)
	want(t, "revision 3", err, pool.ErrNotFound)

	stale := app
	stale.Rev = 0
	want(t, "a name in use", s.Apply(ctx, &pool.Change{Applications: []*pool.Application{&stale}}), pool.ErrConflict)
	app.Phase, svc.Phase = pool.ServiceRemoved, pool.ServiceRemoved
	must(t, s.Apply(ctx, &pool.Change{Applications: []*pool.Application{&app}, Services: []*pool.Service{&svc}}))
	fresh, again := pool.Application{Name: "shop", Phase: pool.ServiceDeploying}, pool.Service{Name: "shop.db", Revision: 1}
	must(t, s.Apply(ctx, &pool.Change{Applications: []*pool.Application{&fresh}, Services: []*pool.Service{&again}, Revisions: []*pool.Revision{{Service: "shop.db", Number: 1}}}))
	if list, err := s.Revisions(ctx, "shop.db"); err != nil || len(list) != 1 {
		t.Errorf("Revisions of a name used again = %+v, %v, want its own", list, err)
	}
}
