package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"appliance/pool"
)

// timesKey is the setting that keeps what was learned of durations.
const timesKey = "durations"

// maxTimes bounds what is learned: recipes and models that come later are not.
const maxTimes = 4096

// measure is how long a step took: the average, of which the last times weigh
// most.
type measure struct {
	N    int           `json:"n"`
	Mean time.Duration `json:"mean"`
}

// timeKey is a step of a recipe (or of a machine, when recipe is empty) on a
// model of machine (any, when it is empty).
type timeKey struct{ recipe, step, model string }

// durations learns how long steps take. It is kept in one setting, written
// with the beat: a crash loses what was learned since, and nothing else.
type durations struct {
	mu     sync.Mutex
	times  map[timeKey]measure
	models map[string]string // of machines, by ID
	owners map[string]string // recipes of instances, by ID
	dirty  bool
}

func (l *durations) init() {
	if l.times == nil {
		l.times, l.models, l.owners = map[timeKey]measure{}, map[string]string{}, map[string]string{}
	}
}

// about notes which model a machine is.
func (l *durations) about(m pool.Machine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.init()
	if model := modelOf(m); l.models[m.ID] != model {
		l.models[m.ID] = model
	}
}

// owned notes which recipe an instance runs.
func (l *durations) owned(instance, recipe string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.init()
	if l.owners[instance] != recipe {
		l.owners[instance] = recipe
	}
}

func modelOf(m pool.Machine) string {
	if m.Facts == nil {
		return ""
	}
	return m.Facts.Manufacturer + " " + m.Facts.Product
}

// learn takes the duration of a step that is done.
func (l *durations) learn(s *pool.Step) {
	took := s.EndedAt.Sub(s.StartedAt)
	if s.Status != pool.StepDone || s.StartedAt.IsZero() || took < 0 || s.Name == stepAcquire || s.Name == stepDepends {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.init()
	recipe, ok := l.owners[s.Owner]
	if !ok && len(s.Owner) > 3 && s.Owner[:3] == "in-" {
		return
	}
	for _, model := range []string{"", l.models[s.Machine]} {
		k := timeKey{recipe, s.Name, model}
		m, known := l.times[k]
		if !known && len(l.times) >= maxTimes {
			continue
		}
		m.N++
		m.Mean += (took - m.Mean) / time.Duration(min(m.N, 5))
		l.times[k] = m
		l.dirty = true
		if l.models[s.Machine] == "" {
			return
		}
	}
}

// of returns how long a step takes on a model: of that model when it was
// measured there, else of any.
func (l *durations) of(recipe, step, model string) measure {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m, ok := l.times[timeKey{recipe, step, model}]; ok {
		return m
	}
	return l.times[timeKey{recipe, step, ""}]
}

// storedTime is an entry as it is kept.
type storedTime struct {
	Recipe string `json:"recipe,omitempty"`
	Step   string `json:"step"`
	Model  string `json:"model,omitempty"`
	measure
}

// save stores what was learned since the last time.
func (l *durations) save(ctx context.Context, st Store) error {
	l.mu.Lock()
	if !l.dirty {
		l.mu.Unlock()
		return nil
	}
	l.dirty = false
	list := make([]storedTime, 0, len(l.times))
	for k, m := range l.times {
		list = append(list, storedTime{k.recipe, k.step, k.model, m})
	}
	l.mu.Unlock()
	return st.SetSetting(ctx, timesKey, string(encode(list)))
}

// load reads what was learned; what cannot be read is learned anew.
func (l *durations) load(ctx context.Context, st Store) error {
	text, err := st.Setting(ctx, timesKey)
	if errors.Is(err, pool.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var list []storedTime
	if json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.init()
	for _, t := range list {
		l.times[timeKey{t.Recipe, t.Step, t.Model}] = t.measure
	}
	return nil
}
