package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"appliance/pool"
	"appliance/recipes"
	"appliance/recipes/shipped"
)

// events are the lifecycle events in the order in which they run.
var events = [...]string{"preServiceStart", "init", "preInstall", "install", "postInstall", "preStart", "start",
	"startDetection", "postStart", "preStop", "stop", "postStop", "shutdown", "preServiceStop"}

// recipeInfo is what the pool knows of a checked recipe.
func recipeInfo(r *recipes.Recipe) pool.RecipeInfo {
	info := pool.RecipeInfo{
		Name: r.Name, Description: r.Description, Type: r.Type, Icon: r.Icon, Template: r.Template,
		Instances: r.NumInstances, Min: r.Min, Max: r.Max, Elastic: r.Elastic, Stateful: r.Stateful,
		StartTimeout: r.StartDetectionTimeout, Packages: r.Packages, Port: r.Port, Warnings: r.Warnings,
	}
	for _, e := range events {
		if _, ok := r.Lifecycle[e]; ok {
			info.Events = append(info.Events, e)
		}
	}
	return info
}

// checkRecipe loads an uploaded archive in a folder of its own.
func checkRecipe(_ context.Context, archive []byte) (info pool.RecipeInfo, err error) {
	dir, err := os.MkdirTemp("", "appliance-recipe-*")
	if err != nil {
		return info, fmt.Errorf("check recipe: %w: %v", pool.ErrUnavailable, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	digest := recipes.Digest(archive)
	if err := recipes.Unpack(archive, digest, dir); err != nil {
		return info, fmt.Errorf("check recipe: %w: %v", pool.ErrInvalid, err)
	}
	r, err := recipes.Load(os.DirFS(dir), recipes.Options{})
	if err != nil {
		return info, fmt.Errorf("check recipe: %w: %v", pool.ErrInvalid, err)
	}
	info = recipeInfo(r)
	info.Digest = digest
	return info, nil
}

// shipRecipes stores the recipes that the binary carries.
func (s *appliance) shipRecipes(ctx context.Context) error {
	for _, name := range shipped.Names() {
		dir, err := recipeFS(name)
		if err != nil {
			return err
		}
		r, err := recipes.Load(dir, recipes.Options{})
		if err != nil {
			return fmt.Errorf("load shipped recipe %s: %w", name, err)
		}
		archive, digest, err := recipes.Pack(dir)
		if err != nil {
			return fmt.Errorf("pack shipped recipe %s: %w", name, err)
		}
		info := recipeInfo(r)
		info.Digest, info.Shipped = digest, true
		if err := s.db.PutRecipe(ctx, info, archive); err != nil {
			return err
		}
	}
	return nil
}
