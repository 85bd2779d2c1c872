package main

import (
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"appliance/api/wire"
	"appliance/pool"
)

// hosts is a group of an Ansible inventory, as its "yaml" plugin reads it
// (JSON is YAML): variables by host name, and groups below.
type hosts struct {
	Hosts    map[string]map[string]any `json:"hosts,omitempty"`
	Children map[string]hosts          `json:"children,omitempty"`
}

// inventory puts the machines that have a system into groups: service_NAME,
// tag_NAME, zone_NAME.
func inventory(machines []wire.Machine) map[string]hosts {
	all := hosts{Hosts: map[string]map[string]any{}, Children: map[string]hosts{}}
	for _, m := range machines {
		if m.Phase != pool.Active || !m.Address.IsValid() {
			continue
		}
		all.Hosts[m.Name] = map[string]any{"ansible_host": m.Address.String(), "ansible_user": "root",
			"appliance_machine": m.ID, "appliance_service": m.Service}
		for _, t := range m.Tags {
			member(all.Children, "tag_"+t, m.Name)
		}
		if m.Service != "" {
			member(all.Children, "service_"+m.Service, m.Name)
		}
		if m.Zone != "" {
			member(all.Children, "zone_"+m.Zone, m.Name)
		}
	}
	return map[string]hosts{"all": all}
}

// member puts a host into a group, whose name gets the characters that
// Ansible allows.
func member(groups map[string]hosts, name, host string) {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
	g := groups[name]
	if g.Hosts == nil {
		g.Hosts = map[string]map[string]any{}
	}
	g.Hosts[host] = map[string]any{}
	groups[name] = g
}

func (a *app) inventoryCmd() *cobra.Command {
	return &cobra.Command{
		Use: "inventory", Short: "The machines with a system, as an inventory for Ansible",
		Long: "inventory prints JSON that Ansible reads as an inventory: every active machine with its address, in the\n" +
			"groups service_NAME, tag_NAME and zone_NAME.",
		Example: "  appliance inventory > /etc/ansible/hosts.json\n  ansible-playbook -i hosts.json --limit service_mysql site.yml",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			defer c.Close()
			machines, err := c.Machines(cmd.Context())
			if err != nil {
				return err
			}
			e := json.NewEncoder(a.stdout)
			e.SetIndent("", "  ")
			return e.Encode(inventory(machines))
		},
	}
}
