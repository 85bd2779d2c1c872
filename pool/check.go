package pool

import (
	"fmt"
	"slices"
)

// CheckOperation says whether the stored operation old may become next. A nil
// old is a new operation, on a machine that is or comes to be in one of
// phases. Errors wrap ErrConflict, or ErrInvalid for what no operation may be.
func CheckOperation(old *Operation, next Operation, phases ...Phase) error {
	refuse := func(kind error, format string, args ...any) error {
		return fmt.Errorf("%w: operation %s: %s", kind, next.ID, fmt.Sprintf(format, args...))
	}
	switch {
	case next.ID == "" || next.Machine == "":
		return refuse(ErrInvalid, "has no ID or no machine")
	case !slices.Contains(OpKinds(), next.Kind):
		return refuse(ErrInvalid, "kind %q does not exist", next.Kind)
	case !next.Status.Open() && next.Status != Succeeded && next.Status != Failed && next.Status != Cancelled:
		return refuse(ErrInvalid, "status %q does not exist", next.Status)
	case next.Status.Open() && next.Deadline.IsZero():
		return refuse(ErrInvalid, "has no deadline")
	case next.Status == Failed && (next.Cause == nil || next.Cause.Code == "" || next.Cause.Message == ""):
		return refuse(ErrInvalid, "failed without a cause")
	}
	if old == nil {
		if !slices.ContainsFunc(phases, func(p Phase) bool { return p.Allows(next.Kind) }) {
			return refuse(ErrConflict, "%s is not allowed on a machine that is %s", next.Kind, first(phases))
		}
		return nil
	}
	switch {
	case old.Machine != next.Machine || old.Kind != next.Kind:
		return refuse(ErrConflict, "is %s of machine %s, not %s of %s", old.Kind, old.Machine, next.Kind, next.Machine)
	case !old.Status.Open() && next.Status != old.Status:
		return refuse(ErrConflict, "has ended as %s", old.Status)
	}
	return nil
}

// CheckStep says whether a step may be stored. Errors wrap ErrInvalid.
func CheckStep(s Step) error {
	switch {
	case s.Key == "" || s.Owner == "":
		return fmt.Errorf("%w: step %q: has no key or no owner", ErrInvalid, s.Name)
	case s.Status == StepRunning && s.Deadline.IsZero():
		return fmt.Errorf("%w: step %s: runs without a deadline", ErrInvalid, s.Key)
	}
	return nil
}

func first(phases []Phase) string {
	if len(phases) == 0 {
		return "unknown"
	}
	return string(phases[0])
}
