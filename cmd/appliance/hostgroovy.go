package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"appliance/api/wire"
	"appliance/pool"
	"appliance/recipes"
)

// readHostGroovy reads the node list of a cloud or template descriptor: of the
// template that r names, or of the only one that has a node list.
func readHostGroovy(r *wire.HostsRequest, file string) error {
	dir := filepath.Dir(file)
	var all []recipes.ComputeTemplate
	var err error
	switch base := filepath.Base(file); {
	case strings.HasSuffix(base, "-cloud.groovy"):
		var c *recipes.Cloud
		if c, err = recipes.LoadCloud(os.DirFS(dir), base); err == nil {
			all = c.Templates
		}
	case strings.HasSuffix(base, "-template.groovy"):
		all, err = recipes.LoadTemplates(os.DirFS(dir), ".")
	default:
		return fmt.Errorf("%w: %s: a node list in Groovy is a NAME-cloud.groovy or a NAME-template.groovy", pool.ErrInvalid, file)
	}
	if err != nil {
		return fmt.Errorf("%w: %v", pool.ErrInvalid, err)
	}
	t, err := nodesOf(all, r.Template, file)
	if err != nil {
		return err
	}
	secret := func(name string) (string, error) {
		if name != "" && !filepath.IsAbs(name) {
			name = filepath.Join(dir, t.UploadFolder, name)
		}
		return readSecretFile(name)
	}
	key, err := secret(t.KeyFile)
	if err != nil {
		return err
	}
	r.User, r.Password, r.Key = cmp.Or(r.User, t.Username), cmp.Or(r.Password, t.Password), cmp.Or(r.Key, key)
	for _, n := range t.Nodes {
		key, err := secret(n.KeyFile)
		if err != nil {
			return err
		}
		r.Nodes = append(r.Nodes, wire.HostNodes{ID: n.ID, List: n.List, Range: n.Range,
			HostLogin: wire.HostLogin{User: n.Username, Password: n.Credential, Key: key}})
	}
	return nil
}

// nodesOf is the template whose nodes are meant.
func nodesOf(all []recipes.ComputeTemplate, name, file string) (recipes.ComputeTemplate, error) {
	var names []string
	var found recipes.ComputeTemplate
	for _, t := range all {
		if len(t.Nodes) == 0 {
			continue
		}
		names = append(names, t.Name)
		if found = t; t.Name == name {
			return t, nil
		}
	}
	switch {
	case len(names) == 0:
		return found, fmt.Errorf("%w: %s: Nodes list not set", pool.ErrInvalid, file)
	case name != "":
		return found, fmt.Errorf("%w: %s: template %s has no node list; %s have", pool.ErrInvalid, file, name, strings.Join(names, ", "))
	case len(names) > 1:
		return found, fmt.Errorf("%w: %s: name one of its templates by --template: %s", pool.ErrInvalid, file, strings.Join(names, ", "))
	}
	return found, nil
}
