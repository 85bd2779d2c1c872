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
	if app, err := c.RemoveApplication(ctx, "shop", wire.RemoveRequest{}); err != nil || app.Phase != pool.ServiceRemoving {
		t.Errorf("remove = %+v, %v", app, err)
	}
}
