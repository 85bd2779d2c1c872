package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"appliance/pool"
	"appliance/recipes"
	"appliance/recipes/shipped"
)

// events are the lifecycle events in the order in which they run.
var events = [...]string{"preServiceStart", "init", "preInstall", "install", "postInstall", "preStart", "start",
	"startDetection", "postStart", "drain", "preStop", "stop", "postStop", "shutdown", "preServiceStop"}

// recipeInfo is what the pool knows of a checked recipe.
func recipeInfo(r *recipes.Recipe) pool.RecipeInfo {
	info := pool.RecipeInfo{
		Name: r.Name, Description: r.Description, Type: r.Type, Icon: r.Icon, Template: r.Template,
		Storage: r.Storage, StartInterval: r.StartDetectionInterval, Instances: r.NumInstances, Min: r.Min, Max: r.Max, Elastic: r.Elastic, Stateful: r.Stateful,
		Retries: r.Retries, Timeouts: r.Timeouts, StartTimeout: r.StartDetectionTimeout, Packages: r.Packages, Port: r.Port, Warnings: r.Warnings,
	}
	if r.Application != "" {
		info.Name, info.Application = pool.ServiceKey(r.Application, r.Name), r.Application
	}
	if r.IsApplication() {
		info.Type = "APPLICATION"
	}
	info.DependsOn = r.DependsOn
	for _, e := range events {
		_, ok := r.Lifecycle[e]
		if _, command := r.CustomCommands[e]; ok || command && e == "drain" {
			info.Events = append(info.Events, e)
		}
	}
	_, info.HasMonitors = r.Lifecycle["monitors"]
	_, info.HasDetails = r.Lifecycle["details"]
	info.Commands, info.Scaling = slices.Sorted(maps.Keys(r.CustomCommands)), scalingOf(r)
	_, info.StopDetection = r.Lifecycle["stopDetection"]
	_, info.Locator = r.Lifecycle["locator"]
	_, info.Verify = r.Lifecycle["verify"]
	for _, g := range r.MetricGroups {
		group := pool.MetricGroup{Name: g.Name}
		for _, m := range g.Metrics {
			group.Metrics = append(group.Metrics, pool.Metric{Name: m.Name, Unit: m.Unit})
		}
		info.MetricGroups = append(info.MetricGroups, group)
	}
	return info
}

// scalingOf is what a recipe says of scaling, as the engine knows it.
func scalingOf(r *recipes.Recipe) pool.Scaling {
	s := pool.Scaling{Sampling: r.Scaling.Sampling, OutCooldown: r.Scaling.OutCooldown, InCooldown: r.Scaling.InCooldown}
	if !r.Elastic {
		return s // nothing scales it
	}
	statistic := func(s recipes.Statistic) pool.Statistic {
		return pool.Statistic{Kind: pool.StatisticKind(s.Kind), Percentile: s.Percentile}
	}
	threshold := func(t *recipes.Threshold) *pool.Threshold {
		if t == nil {
			return nil
		}
		return &pool.Threshold{Value: t.Value, By: t.By}
	}
	for _, x := range r.Scaling.Rules {
		s.Rules = append(s.Rules, pool.ScalingRule{Name: x.Name, Metric: x.Metric, Window: x.Window, Time: statistic(x.Time),
			Instances: statistic(x.Instances), High: threshold(x.High), Low: threshold(x.Low)})
	}
	return s
}

// checkRecipe loads an uploaded archive in a folder of its own. What it
// returns first is the recipe; the others are the services of an application.
func checkRecipe(_ context.Context, archive []byte) (list []pool.PackedRecipe, err error) {
	dir, err := os.MkdirTemp("", "appliance-recipe-*")
	if err != nil {
		return nil, fmt.Errorf("check recipe: %w: %v", pool.ErrUnavailable, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	digest := recipes.Digest(archive)
	if err := recipes.Unpack(archive, digest, dir); err != nil {
		return nil, fmt.Errorf("check recipe: %w: %v", pool.ErrInvalid, err)
	}
	r, err := recipes.Load(os.DirFS(dir), recipes.Options{})
	if err != nil {
		return nil, fmt.Errorf("check recipe: %w: %v", pool.ErrInvalid, err)
	}
	return packed(r, archive, digest)
}

// differences compares two stored recipes.
func differences(old, now []byte) (out []pool.Difference, err error) {
	dir, err := os.MkdirTemp("", "appliance-recipe-*")
	if err != nil {
		return nil, fmt.Errorf("compare recipes: %w: %v", pool.ErrUnavailable, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var both [2]*recipes.Recipe
	for i, archive := range [][]byte{old, now} {
		sub := filepath.Join(dir, strconv.Itoa(i))
		if err := os.Mkdir(sub, 0o700); err != nil {
			return nil, fmt.Errorf("compare recipes: %w: %v", pool.ErrUnavailable, err)
		}
		if err := recipes.Unpack(archive, recipes.Digest(archive), sub); err != nil {
			return nil, fmt.Errorf("compare recipes: %w", err)
		}
		if both[i], err = recipes.Load(os.DirFS(sub), recipes.Options{}); err != nil {
			return nil, fmt.Errorf("compare recipes: %w", err)
		}
	}
	list, err := both[1].Diff(both[0])
	for _, d := range list {
		out = append(out, pool.Difference{Kind: d.Kind, Name: d.Name, Change: d.Change, Old: d.Old, New: d.New})
	}
	return out, err
}

// packed is a recipe as it is stored: of an application its services, too.
func packed(r *recipes.Recipe, archive []byte, digest string) ([]pool.PackedRecipe, error) {
	info := recipeInfo(r)
	info.Digest = digest
	list := []pool.PackedRecipe{{Info: info, Archive: archive}}
	for _, s := range r.Services {
		archive, digest, err := s.Pack()
		if err != nil {
			return nil, fmt.Errorf("pack service %s of application %s: %w: %v", s.Name, r.Name, pool.ErrInvalid, err)
		}
		m := recipeInfo(s)
		m.Digest = digest
		list[0].Info.Members = append(list[0].Info.Members, digest)
		list = append(list, pool.PackedRecipe{Info: m, Archive: archive})
	}
	return list, nil
}

// shipRecipes stores the recipes that the binary carries.
func (s *appliance) shipRecipes(ctx context.Context) error {
	for _, name := range shipped.Names() {
		r, err := recipes.Load(shipped.FS(), recipes.Options{Dir: name})
		if err != nil {
			return fmt.Errorf("load shipped recipe %s: %w", name, err)
		}
		archive, digest, err := r.Pack()
		if err != nil {
			return fmt.Errorf("pack shipped recipe %s: %w", name, err)
		}
		list, err := packed(r, archive, digest)
		if err != nil {
			return err
		}
		for _, p := range list {
			p.Info.Shipped = true
			if err := s.db.PutRecipe(ctx, p.Info, p.Archive); err != nil {
				return err
			}
		}
	}
	return nil
}
