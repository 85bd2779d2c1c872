package orchestrator

import (
	"context"
	"fmt"

	"appliance/pool"
)

func unbuilt() error { return fmt.Errorf("%w: comes with the next commit", pool.ErrUnavailable) }

// Run blocks.
func (e *Engine) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Accept lets a discovered machine in.
func (e *Engine) Accept(ctx context.Context, machine, by string, o pool.AcceptOptions) (pool.Operation, error) {
	return pool.Operation{}, unbuilt()
}

// Start starts an operation.
func (e *Engine) Start(ctx context.Context, machine string, kind pool.OpKind, p pool.OpParams, by string) (pool.Operation, error) {
	return pool.Operation{}, unbuilt()
}

// Release gives a machine back.
func (e *Engine) Release(ctx context.Context, machine, by string, o pool.ReleaseOptions) (pool.Machine, error) {
	return pool.Machine{}, unbuilt()
}

// Cancel stops an operation.
func (e *Engine) Cancel(ctx context.Context, operation, by string) error { return unbuilt() }

// Deploy starts a service.
func (e *Engine) Deploy(ctx context.Context, o pool.DeployOptions) (pool.Service, error) {
	return pool.Service{}, unbuilt()
}

// Remove ends a service.
func (e *Engine) Remove(ctx context.Context, service string, wipe bool, by string) (pool.Service, error) {
	return pool.Service{}, unbuilt()
}

// Retry tries again what failed.
func (e *Engine) Retry(ctx context.Context, machineOrService, by string) error { return unbuilt() }

// Live returns what is known of a machine in memory.
func (e *Engine) Live(machine string) pool.LiveState { return pool.LiveState{} }

// Lives returns Live of every machine that has one.
func (e *Engine) Lives() map[string]pool.LiveState { return nil }

// WatchLive returns live updates and a func that ends the watch.
func (e *Engine) WatchLive() (<-chan pool.LiveUpdate, func()) { return nil, func() {} }

// AgentHello answers an agent's first message.
func (e *Engine) AgentHello(ctx context.Context, h pool.AgentHello) (pool.Verdict, error) {
	return pool.Verdict{}, unbuilt()
}

// AgentBye tells that an agent ends on purpose.
func (e *Engine) AgentBye(ctx context.Context, machine, bootID string) error { return unbuilt() }

// NextTask blocks until there is a task or ctx ends (ErrNotFound).
func (e *Engine) NextTask(ctx context.Context, machine, bootID string, mode pool.AgentMode) (pool.Step, string, error) {
	return pool.Step{}, "", unbuilt()
}

// TaskProgress records how far a task is; ErrNotFound tells the agent to stop it.
func (e *Engine) TaskProgress(ctx context.Context, machine, key, token, bootID string, p pool.Progress) error {
	return unbuilt()
}

// TaskResult ends a task.
func (e *Engine) TaskResult(ctx context.Context, o pool.TaskOutcome) error { return unbuilt() }

// TaskOutput stores lines that a task printed.
func (e *Engine) TaskOutput(ctx context.Context, machine, key, token string, first int, lines []string) error {
	return unbuilt()
}

// Identity says whether the agent in RAM may get the certificate of the
// system that it installs: only machine's open deploy operation's token does.
func (e *Engine) Identity(ctx context.Context, machine, token string) (pool.Machine, error) {
	return pool.Machine{}, unbuilt()
}

// MintBootToken makes the machine's one-time token, valid for ten minutes.
func (e *Engine) MintBootToken(ctx context.Context, machine string) (pool.Secret, error) {
	return pool.Secret{}, unbuilt()
}

// UseBootToken spends a token and returns whose it was.
func (e *Engine) UseBootToken(ctx context.Context, mac pool.MAC, token string) (string, error) {
	return "", unbuilt()
}

// BootState returns all that the boot decision may look at.
func (e *Engine) BootState(ctx context.Context, mac pool.MAC, discover bool) (pool.BootState, pool.Machine, error) {
	return pool.BootState{}, pool.Machine{}, unbuilt()
}

// AgentFetched notes that the machine was served the agent's kernel or script.
func (e *Engine) AgentFetched(mac pool.MAC) {}
