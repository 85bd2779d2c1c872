package client

import (
	"context"
	"net/http"

	"appliance/api/wire"
	"appliance/pool"
)

// Healing says whether lost machines are fenced and services healed.
func (c *Client) Healing(ctx context.Context) (pool.HealingState, error) {
	return read[pool.HealingState](ctx, c, v1+"healing")
}

// StopHealing stops healing until ResumeHealing.
func (c *Client) StopHealing(ctx context.Context, r wire.StopHealingRequest) (pool.HealingState, error) {
	return ask[pool.HealingState](ctx, c, http.MethodPost, v1+"healing/stop", r)
}

// ResumeHealing lets healing go on.
func (c *Client) ResumeHealing(ctx context.Context) (pool.HealingState, error) {
	return ask[pool.HealingState](ctx, c, http.MethodPost, v1+"healing/resume", nil)
}

// ReinstallService has the system of an instance's machine written anew.
func (c *Client) ReinstallService(ctx context.Context, name string, r wire.ReinstallRequest) (wire.Service, error) {
	return ask[wire.Service](ctx, c, http.MethodPost, v1+"services/"+esc(name)+"/reinstall", r)
}

// TakeAsDone says that a step of a service that was cut off was done.
func (c *Client) TakeAsDone(ctx context.Context, name string) (wire.Service, error) {
	return ask[wire.Service](ctx, c, http.MethodPost, v1+"services/"+esc(name)+"/take-as-done", nil)
}

// RecoverService decides for a service that waits for a person.
func (c *Client) RecoverService(ctx context.Context, name string, r wire.RecoverRequest) (wire.Service, error) {
	return ask[wire.Service](ctx, c, http.MethodPost, v1+"services/"+esc(name)+"/recover", r)
}

// Fence switches a machine off, with proof.
func (c *Client) Fence(ctx context.Context, id string) (pool.Operation, error) {
	return ask[pool.Operation](ctx, c, http.MethodPost, machine(id, "/fence"), nil)
}

// MaintainService begins maintenance of a service.
func (c *Client) MaintainService(ctx context.Context, name string, r wire.MaintenanceRequest) (pool.Maintenance, error) {
	return ask[pool.Maintenance](ctx, c, http.MethodPost, v1+"services/"+esc(name)+"/maintenance", r)
}

// EndServiceMaintenance ends it.
func (c *Client) EndServiceMaintenance(ctx context.Context, name string) (wire.Service, error) {
	return ask[wire.Service](ctx, c, http.MethodDelete, v1+"services/"+esc(name)+"/maintenance", nil)
}

// MaintainMachine begins maintenance of a machine.
func (c *Client) MaintainMachine(ctx context.Context, id string, r wire.MaintenanceRequest) (pool.Maintenance, error) {
	return ask[pool.Maintenance](ctx, c, http.MethodPost, machine(id, "/maintenance"), r)
}

// EndMachineMaintenance ends it.
func (c *Client) EndMachineMaintenance(ctx context.Context, id string) (wire.Machine, error) {
	return ask[wire.Machine](ctx, c, http.MethodDelete, machine(id, "/maintenance"), nil)
}
