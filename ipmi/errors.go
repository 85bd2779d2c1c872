package ipmi

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/bougou/go-ipmi/pkg/client"
	"github.com/bougou/go-ipmi/pkg/types"

	"appliance/pool"
)

// fault is a kind of BMC error with a stable code.
type fault struct {
	code, text string
	kind       error // of package pool
}

func (f *fault) Error() string { return f.text }

// Code is the cause code that an operation shows.
func (f *fault) Code() string { return f.code }

func (f *fault) Unwrap() error { return f.kind }

// The ways in which a BMC does not do what was asked. Each has a method
// Code() string; errors.As finds it through every wrapping.
var (
	// ErrAuth: the BMC refuses the user, the password, or what the user may do.
	ErrAuth error = &fault{"bmc.auth", "the BMC refuses the user or the password", pool.ErrConflict}
	// ErrUnreachable: the BMC does not answer, or is too busy to.
	ErrUnreachable error = &fault{"bmc.unreachable", "the BMC does not answer", pool.ErrUnavailable}
	// ErrUnsupported: the BMC does not know the command, or not in its present state.
	ErrUnsupported error = &fault{"bmc.unsupported", "the BMC does not support that", pool.ErrInvalid}
	// ErrIdentity: another BMC answers at the address than the one that was enrolled.
	ErrIdentity error = &fault{"bmc.identity", "another BMC answers at this address", pool.ErrConflict}
	// ErrPower: the BMC took the order, but the power did not follow in time.
	ErrPower error = &fault{"bmc.power", "the power did not follow", pool.ErrUnavailable}
)

// clean takes the one error that tells something out of err, which bmclib has
// wrapped in a list of attempts. A context that was cancelled tells most.
func clean(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	var c *caused
	if errors.As(err, &c) {
		return c
	}
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return because(ErrUnreachable, context.DeadlineExceeded)
	}
	return err
}

// caused is a fault and what was seen.
type caused struct{ fault, cause error }

func because(fault, cause error) error { return &caused{fault, cause} }

func (c *caused) Error() string   { return fmt.Sprintf("%v: %v", c.fault, c.cause) }
func (c *caused) Unwrap() []error { return []error{c.fault, c.cause} }

// errShortRefusal marks an answer to Open Session that holds a status and
// nothing else: OpenIPMI's refusal of a suite, which go-ipmi does not read.
var errShortRefusal = errors.New("the BMC refuses to open a session")

// noSuite says whether err is a BMC's refusal of a cipher suite (IPMI 2.0,
// table 13-15), not of who asks.
func noSuite(err error) bool {
	if errors.Is(err, errShortRefusal) {
		return true
	}
	var status *types.RmcpStatusError
	if !errors.As(err, &status) {
		return false
	}
	switch status.StatusCode() {
	case types.RmcpStatusCodeInvalidAuthAlg, types.RmcpStatusCodeInvalidIntegrityAlg, types.RmcpStatusCodeInvalidConfidentAlg,
		types.RmcpStatusCodeNoMatchingAuthPayload, types.RmcpStatusCodeNoMatchingIntegrityPayload,
		types.RmcpStatusCodeNoCipherSuiteMatch, types.RmcpStatusCodeIllegalParameter:
		return true
	default:
		return false
	}
}

// errLastStep marks an error of the last message of a login.
var errLastStep = errors.New("RAKP message 4")

// garbled says whether err may come of an answer that arrived late and was
// taken for the next one: go-ipmi numbers no message of a login.
func garbled(err error) bool {
	var status *types.RmcpStatusError
	var network *net.OpError
	var known *caused
	switch {
	case err == nil, errors.As(err, &status), errors.As(err, &network), errors.As(err, &known),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.Is(err, client.ErrRAKPAuthentication):
		return errors.Is(err, errLastStep)
	}
	return true
}

// lanFault gives an error of go-ipmi its kind.
func lanFault(err error) error {
	var known *caused
	if err == nil || errors.As(err, &known) {
		return err
	}
	if noSuite(err) {
		return because(ErrUnsupported, fmt.Errorf("no common cipher suite: %w", err))
	}
	var status *types.RmcpStatusError
	if errors.As(err, &status) {
		switch status.StatusCode() {
		case types.RmcpStatusCodeUnauthorizedName, types.RmcpStatusCodeInvalidNameLength, types.RmcpStatusCodeUnauthorizedGUID,
			types.RmcpStatusCodeInvalidIntegrityCheckValue, types.RmcpStatusCodeInvalidRole, types.RmcpStatusCodeUnauthorizedRoleOfPriLevel:
			return because(ErrAuth, status)
		default: // no resources, a session that is gone
			return because(ErrUnreachable, status)
		}
	}
	if errors.Is(err, client.ErrRAKPAuthentication) {
		return because(ErrAuth, client.ErrRAKPAuthentication)
	}
	if answer, ok := types.IsResponseError(err); ok {
		return because(answerFault(answer.CompletionCode()), answer)
	}
	return because(ErrUnreachable, err)
}

// answerFault gives a completion code its kind (IPMI 2.0, table 5-2).
func answerFault(code types.CompletionCode) error {
	switch code {
	case types.CodeInsufficientPrivilege:
		return ErrAuth
	case types.CodeNodeBusy, types.CodeProcessTimeout, types.CodeOutOfSpace, types.CodeCannotProvideResponse,
		types.CodeCannotProvideResponseFirmwareUpdate, types.CodeCannotProvideResponseBMCInitialize, types.CodeDestinationUnavailable:
		return ErrUnreachable
	default:
		return ErrUnsupported
	}
}
