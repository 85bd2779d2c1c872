package api

import (
	"errors"
	"strings"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// TestApplications: an application is uploaded in one piece, planned, deployed,
// shown with its services and removed; a service is no application.
func TestApplications(t *testing.T) {
	r := newRig(t)
	c, ctx, now := r.client(pool.Operator), t.Context(), time.Now().UTC()
	up, err := c.UploadRecipe(ctx, strings.NewReader("recipe of shop"))
	if err != nil || len(up.Members) != 1 {
		t.Fatalf("upload = %+v, %v", up, err)
	}
	if all, err := c.Recipes(ctx); err != nil || len(all) != 1 || all[0].Name != "shop" {
		t.Errorf("recipes = %+v, %v; want the application and not its parts", all, err)
	}
	p, err := c.Plan(ctx, wire.DeployRequest{Digest: up.Digest})
	if err != nil || p.Application != "shop" || !r.engine.took("plan application shop") {
		t.Errorf("plan = %+v, %v", p, err)
	}
	app, err := c.DeployApplication(ctx, wire.DeployRequest{Recipe: "shop", Plan: p.Digest})
	if err != nil || app.Phase != pool.ServiceDeploying || !r.engine.took("deploy application shop operator") {
		t.Errorf("deploy = %+v, %v", app, err)
	}
	for _, bad := range []wire.DeployRequest{{Recipe: "shop", Instances: 2}, {Recipe: "shop", Template: "X"}, {}} {
		if _, err := c.DeployApplication(ctx, bad); !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("deploy %+v = %v, want invalid", bad, err)
		}
	}
	if _, err := c.UploadRecipe(ctx, strings.NewReader("recipe")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DeployApplication(ctx, wire.DeployRequest{Recipe: "mysql"}); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("deploy a service as an application = %v, want invalid", err)
	}
	r.apply(&pool.Change{
		Applications: []*pool.Application{{Name: "shop", Services: []string{"shop.db"}, Phase: pool.ServiceDeploying, CreatedAt: now}},
		Services:     []*pool.Service{{Name: "shop.db", Application: "shop", Phase: pool.ServiceRunning, Instances: 1, CreatedAt: now}},
	})
	got, err := c.Application(ctx, "shop")
	if err != nil || len(got.Members) != 1 || got.Sentence != "Being deployed: 1 of 1 service running." {
		t.Errorf("application = %+v, %v", got, err)
	}
	if all, err := c.Applications(ctx); err != nil || len(all) != 1 {
		t.Errorf("applications = %+v, %v", all, err)
	}
	if _, err := c.RemoveApplication(ctx, "shop", wire.RemoveRequest{Wipe: "other"}); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("wipe by another name = %v, want invalid", err)
	}
	if app, err := c.RemoveApplication(ctx, "shop", wire.RemoveRequest{Abandon: true}); err != nil || !app.Abandon {
		t.Errorf("abandon = %+v, %v", app, err)
	}
	if _, err := c.UndoApplication(ctx, "shop"); err != nil || !r.engine.took("undo application shop operator") {
		t.Errorf("undo = %v", err)
	}
	if app, err := c.RemoveApplication(ctx, "shop", wire.RemoveRequest{}); err != nil || app.Phase != pool.ServiceRemoving {
		t.Errorf("remove = %+v, %v", app, err)
	}
}

// TestPlanUpdate: the plan for a service that is there says what differs.
func TestPlanUpdate(t *testing.T) {
	r := newRig(t)
	c, ctx, now := r.client(pool.Operator), t.Context(), time.Now().UTC()
	if _, err := c.UploadRecipe(ctx, strings.NewReader("recipe")); err != nil {
		t.Fatal(err)
	}
	old := pool.RecipeInfo{Name: "mysql", Digest: "sha256:old"}
	if err := r.Store.PutRecipe(ctx, old, []byte("before")); err != nil {
		t.Fatal(err)
	}
	r.Differences = func(a, b []byte) ([]pool.Difference, error) {
		return []pool.Difference{{Kind: "file", Name: string(a) + " " + string(b), Change: "changed"}}, nil
	}
	r.apply(&pool.Change{Services: []*pool.Service{{Name: "mysql", Recipe: old, Revision: 1, Phase: pool.ServiceRunning, CreatedAt: now}},
		Instances: []*pool.Instance{{ID: "in-1", Service: "mysql", Number: 1, Phase: pool.InstanceRunning}}})
	p, err := c.Plan(ctx, wire.DeployRequest{Digest: "sha256:aa"})
	if err != nil || len(p.Services) != 1 || p.Services[0].Action != pool.PlanUpdate || len(p.Services[0].Instances) != 1 ||
		len(p.Services[0].Changes) != 1 || p.Services[0].Changes[0].Name != "before recipe" {
		t.Errorf("plan of an update = %+v, %v", p, err)
	}
	if p, err := c.Plan(ctx, wire.DeployRequest{Digest: "sha256:old"}); err != nil || p.Services[0].Action != pool.PlanNone {
		t.Errorf("plan of what runs = %+v, %v", p, err)
	}
	s, err := c.UpdateService(ctx, "mysql", wire.UpdateRequest{Digest: "sha256:aa", Canary: 1})
	if err != nil || s.Rollout == nil || !r.engine.took("update mysql mysql operator") {
		t.Errorf("update = %+v, %v", s, err)
	}
	if _, err := c.UpdateService(ctx, "mysql", wire.UpdateRequest{}); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("update to nothing = %v, want invalid", err)
	}
	for _, action := range []string{"promote", "pause", "resume", "undo"} {
		if _, err := c.SteerRollout(ctx, "mysql", action); err != nil || !r.engine.took(action+" mysql operator") {
			t.Errorf("%s = %v", action, err)
		}
	}
	if _, err := c.Remove(ctx, "mysql", wire.RemoveRequest{Abandon: true}); err != nil || !r.engine.took("abandon mysql operator") {
		t.Errorf("abandon = %v", err)
	}
	if _, err := c.Remove(ctx, "mysql", wire.RemoveRequest{Abandon: true, Wipe: "mysql"}); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("abandon and wipe = %v, want invalid", err)
	}
}
