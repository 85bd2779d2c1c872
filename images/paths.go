package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"appliance/pool"
)

// Settings is where Paths keeps what it learned.
type Settings interface {
	// Setting returns a value; an error that wraps pool.ErrNotFound when there is none.
	Setting(ctx context.Context, key string) (string, error)
	SetSetting(ctx context.Context, key, value string) error
}

// Paths learns how each model boots best, and how long each stage takes. It
// sees the attempts by the boot events and decides nothing: ChoosePath does.
// It is safe for concurrent use.
type Paths struct {
	Store Settings
	Log   *slog.Logger
	// Facts returns a machine's facts, nil when it has none. It must not block.
	Facts func(pool.MAC) *pool.Facts

	mu       sync.Mutex
	models   map[string]*pool.BootModel // by key and class
	attempts map[pool.MAC]*attempt
	dirty    bool
}

// attempt is one try of one path by one machine.
type attempt struct {
	class   string
	path    pool.BootPath
	at      time.Time // of the answer
	loaded  time.Time // when all of the boot program had been fetched; zero: not yet
	iPXE    time.Time // when iPXE asked for an address
	leased  time.Time // when the firmware took its address
	settled bool      // it worked or failed, and was counted
	last    pool.BootEvent
}

const (
	pathsSetting = "boot.paths"
	maxModels    = 2000
	maxAttempts  = 1 << 16
	// silence is how long a boot program may be silent before the attempt counts
	// as failed; the diagnosis waits as long.
	silence = 90 * time.Second
	// anew is how soon after its program was loaded a firmware that asks again
	// still is in the same attempt: a copy of its request came late.
	anew = time.Second
)

// Load reads what was learned before.
func (p *Paths) Load(ctx context.Context) error {
	text, err := p.Store.Setting(ctx, pathsSetting)
	if errors.Is(err, pool.ErrNotFound) || err == nil && text == "" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load boot paths: %w", err)
	}
	var all []pool.BootModel
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return fmt.Errorf("load boot paths: %v", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.models = map[string]*pool.BootModel{}
	for _, m := range all {
		p.models[m.Key+"\n"+m.Class] = &m
	}
	return nil
}

// Run counts attempts that went silent and stores what was learned, until ctx ends.
func (p *Paths) Run(ctx context.Context) error {
	t := time.NewTicker(5 * time.Second)
	defer t.Stop()
	for {
		select {
		case now := <-t.C:
			p.sweep(now)
		case <-ctx.Done():
			return p.save(context.WithoutCancel(ctx))
		}
		if err := p.save(ctx); err != nil && ctx.Err() == nil && p.Log != nil {
			p.Log.Warn("boot paths not stored", "err", err)
		}
	}
}

func (p *Paths) save(ctx context.Context) error {
	p.mu.Lock()
	dirty := p.dirty
	p.dirty = false
	p.mu.Unlock()
	if !dirty {
		return nil
	}
	b, err := json.Marshal(p.Models())
	if err == nil {
		err = p.Store.SetSetting(ctx, pathsSetting, string(b))
	}
	if err != nil {
		p.mu.Lock()
		p.dirty = true
		p.mu.Unlock()
		return fmt.Errorf("store boot paths: %w", err)
	}
	return nil
}

// Models returns what was learned, by key and class.
func (p *Paths) Models() []pool.BootModel {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []pool.BootModel{}
	for _, m := range p.models {
		c := *m
		c.Paths = slices.Clone(m.Paths)
		c.Stages = make(map[pool.BootStage]pool.StageTime, len(m.Stages))
		for k, v := range m.Stages {
			c.Stages[k] = v
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b pool.BootModel) int { return strings.Compare(a.Key+"\n"+a.Class, b.Key+"\n"+b.Class) })
	return out
}

// Path returns the way mac is to boot now. A firmware that asks anew although
// its boot program was loaded and nothing came of it has refused that.
func (p *Paths) Path(mac pool.MAC, c pool.Client, now time.Time) pool.BootPath {
	facts := p.facts(mac)
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.attempts[mac]
	if c.IPXE {
		if a != nil {
			return a.path
		}
		return pool.BootPath{Files: pool.FilesHTTP}
	}
	class := c.Class()
	if a != nil && !a.settled {
		if a.unfetched(now) || !a.loaded.IsZero() && (a.class != class || now.Sub(a.loaded) > anew) {
			p.fail(mac, a, facts, now)
		} else if now.Sub(a.at) < silence && a.class == class {
			return a.path
		}
	}
	path := ChoosePath(class, p.like(mac, class, facts)...)
	if p.attempts == nil || len(p.attempts) >= maxAttempts {
		p.attempts = map[pool.MAC]*attempt{}
	}
	p.attempts[mac] = &attempt{class: class, path: path, at: now}
	return path
}

// unfetched says whether the firmware, which asks anew, took its address by
// HTTP Boot and did not ask for the boot program.
func (a *attempt) unfetched(now time.Time) bool {
	return strings.HasSuffix(a.class, "-http") && a.loaded.IsZero() && a.last.Stage == pool.StageLease && now.Sub(a.leased) > anew
}

// Current returns the path that mac is on, for TFTP's bounds.
func (p *Paths) Current(mac pool.MAC) (pool.BootPath, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.attempts[mac]
	if a == nil {
		return pool.BootPath{}, false
	}
	return a.path, true
}

// Of returns the model and class that mac was last seen as, and the path that
// it is on; false when it was not seen since the start.
func (p *Paths) Of(mac pool.MAC) (model, class string, path pool.BootPath, ok bool) {
	facts := p.facts(mac)
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.attempts[mac]
	if a == nil {
		return pool.ModelKey(mac, facts), "", path, false
	}
	return pool.ModelKey(mac, facts), a.class, a.path, true
}

// IsARM says whether mac asked as an arm64 machine.
func (p *Paths) IsARM(mac pool.MAC) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.attempts[mac]
	return a != nil && strings.HasPrefix(a.class, pool.ClassEFIARM64)
}

func (p *Paths) facts(mac pool.MAC) *pool.Facts {
	if p.Facts == nil {
		return nil
	}
	return p.Facts(mac)
}

// like returns what was learned of machines like mac, the most like first.
func (p *Paths) like(mac pool.MAC, class string, facts *pool.Facts) []pool.BootModel {
	var out []pool.BootModel
	for _, key := range keys(mac, facts) {
		for _, c := range []string{class, sibling(class)} {
			if m := p.models[key+"\n"+c]; m != nil {
				out = append(out, *m)
			}
		}
	}
	return out
}

// sibling is the other client of the same firmware.
func sibling(class string) string {
	if pxe, ok := strings.CutSuffix(class, "-http"); ok {
		return pxe
	}
	return class + "-http"
}

func keys(mac pool.MAC, facts *pool.Facts) []string {
	own, maker := pool.ModelKey(mac, facts), pool.ModelKey(mac, nil)
	if own == maker {
		return []string{own}
	}
	return []string{own, maker}
}

// Times returns how long each stage takes on machines like mac.
func (p *Paths) Times(mac pool.MAC) map[pool.BootStage]pool.StageTime {
	facts := p.facts(mac)
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.attempts[mac]
	var all []*pool.BootModel
	for _, key := range keys(mac, facts) {
		for k, m := range p.models {
			if strings.HasPrefix(k, key+"\n") && (a == nil || m.Class == a.class) {
				all = append(all, m)
			}
		}
	}
	out := map[pool.BootStage]pool.StageTime{}
	for _, m := range all {
		for stage, t := range m.Stages {
			if have, ok := out[stage]; !ok || t.Max > have.Max && have.Count < 3 {
				out[stage] = t
			}
		}
	}
	return out
}

// Observe takes a boot event of a machine into account.
func (p *Paths) Observe(e pool.BootEvent) {
	if e.MAC.IsZero() {
		return
	}
	facts := p.facts(e.MAC)
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.attempts[e.MAC]
	if a == nil {
		return
	}
	p.time(e, a, facts)
	switch s := e.Stage; {
	case s == pool.StageNBP && !e.Failed && isNBP(e.Detail, a.path.NBP):
		a.loaded = e.At
	case s == pool.StageError && (e.Code == pool.CodeTimeout || e.Code == pool.CodeMTU || e.Code == pool.CodeBroken):
		p.failWith(e.MAC, a, facts, e.At, e.Detail)
	case s == pool.StageLease:
		a.leased = e.At
	case s == pool.StageIPXE:
		a.iPXE = e.At
	case s == pool.StageScript, s == pool.StageKernel, s == pool.StageInitrd, s == pool.StageLocal:
		p.work(e.MAC, a, facts, e.At)
	}
}

// isNBP says whether a file is the boot program, under whatever folder it was asked for.
func isNBP(file, nbp string) bool { return file == nbp || strings.HasSuffix(file, "/"+nbp) }

// time learns how long the stage took, within one boot.
func (p *Paths) time(e pool.BootEvent, a *attempt, facts *pool.Facts) {
	last := a.last
	a.last = e
	if last.Stage == "" || e.Failed || last.Failed || e.Stage == pool.StagePower || e.Stage == pool.StageDiscover || e.Stage == pool.StageSilent {
		return
	}
	took := e.At.Sub(last.At)
	if took < 0 || took > 15*time.Minute {
		return
	}
	m := p.model(keys(e.MAC, facts)[0], a.class)
	if m.Stages == nil {
		m.Stages = map[pool.BootStage]pool.StageTime{}
	}
	m.Stages[e.Stage] = m.Stages[e.Stage].Add(took)
	p.dirty = true
}

// sweep counts the attempts whose boot program has been silent for too long.
func (p *Paths) sweep(now time.Time) {
	p.mu.Lock()
	var late []pool.MAC
	for mac, a := range p.attempts {
		began := a.loaded
		if a.iPXE.After(began) {
			began = a.iPXE
		}
		if !a.settled && !began.IsZero() && now.Sub(began) > silence {
			late = append(late, mac)
		}
		if now.Sub(a.at) > time.Hour {
			delete(p.attempts, mac)
		}
	}
	p.mu.Unlock()
	for _, mac := range late {
		facts := p.facts(mac)
		p.mu.Lock()
		if a := p.attempts[mac]; a != nil && !a.settled {
			p.fail(mac, a, facts, now)
		}
		p.mu.Unlock()
	}
}

// fail counts an attempt of which nothing more was heard.
func (p *Paths) fail(mac pool.MAC, a *attempt, facts *pool.Facts, now time.Time) {
	cause := "the boot program was loaded and did not run: Secure Boot refuses it, or it has no driver for the card"
	if !a.iPXE.IsZero() {
		cause = "iPXE got an address and fetched nothing: HTTP is blocked"
	}
	if a.unfetched(now) {
		cause = "the firmware did not fetch the boot program: HTTP is blocked, it wants HTTPS, or it does not hold the appliance's CA"
	}
	p.failWith(mac, a, facts, now, cause)
}

func (p *Paths) failWith(mac pool.MAC, a *attempt, facts *pool.Facts, now time.Time, cause string) {
	if a.settled {
		return
	}
	a.settled = true
	for _, key := range keys(mac, facts) {
		r := p.record(key, a)
		r.Failed++
		r.LastFailed, r.Cause, r.Unfetched = now, cause, a.unfetched(now)
	}
	if p.Log != nil {
		p.Log.Info("boot path failed", "mac", mac.String(), "nbp", a.path.NBP, "files", a.path.Files, "why", cause)
	}
}

func (p *Paths) work(mac pool.MAC, a *attempt, facts *pool.Facts, now time.Time) {
	if a.settled {
		return
	}
	a.settled = true
	for _, key := range keys(mac, facts) {
		r := p.record(key, a)
		r.Worked++
		r.LastWorked = now
	}
}

func (p *Paths) record(key string, a *attempt) *pool.PathRecord {
	p.dirty = true
	m := p.model(key, a.class)
	for i := range m.Paths {
		if m.Paths[i].Path == a.path {
			return &m.Paths[i]
		}
	}
	m.Paths = append(m.Paths, pool.PathRecord{Path: a.path})
	return &m.Paths[len(m.Paths)-1]
}

func (p *Paths) model(key, class string) *pool.BootModel {
	if p.models == nil {
		p.models = map[string]*pool.BootModel{}
	}
	m := p.models[key+"\n"+class]
	if m == nil {
		if len(p.models) >= maxModels { // machines that nobody vouches for make keys, too
			for k := range p.models {
				delete(p.models, k)
				break
			}
		}
		m = &pool.BootModel{Key: key, Class: class}
		p.models[key+"\n"+class] = m
	}
	return m
}

// Pin makes a model boot one way from now on; an empty NBP takes the pin away.
// Errors wrap pool.ErrInvalid.
func (p *Paths) Pin(key, class string, path pool.BootPath) error {
	if len(Candidates(class)) == 0 {
		return fmt.Errorf("%w: class %q: want bios, efi-x64, efi-x64-http, efi-arm64 or efi-arm64-http", pool.ErrInvalid, class)
	}
	if err := checkPath(class, path); path.NBP != "" && err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.model(key, class)
	for i := range m.Paths {
		m.Paths[i].Pinned = false
	}
	if path.NBP != "" {
		p.record(key, &attempt{class: class, path: path}).Pinned = true
	}
	p.dirty = true
	return nil
}

func checkPath(class string, path pool.BootPath) error {
	known := slices.ContainsFunc(Candidates(class), func(c pool.BootPath) bool { return c.NBP == path.NBP })
	switch {
	case !known:
		return fmt.Errorf("%w: boot program %q is none for %s", pool.ErrInvalid, path.NBP, class)
	case path.TLS && !strings.HasSuffix(class, "-http"):
		return fmt.Errorf("%w: only HTTP Boot fetches a program by HTTPS, not %s", pool.ErrInvalid, class)
	case path.Files != pool.FilesHTTP && path.Files != pool.FilesTFTP:
		return fmt.Errorf("%w: files %q: want http or tftp", pool.ErrInvalid, path.Files)
	case path.Block != 0 && (path.Block < 8 || path.Block > 1468), path.Window < 0 || path.Window > 64:
		return fmt.Errorf("%w: block %d is not 0 or 8 to 1468, or window %d not 0 to 64", pool.ErrInvalid, path.Block, path.Window)
	}
	return nil
}

// Import takes over what another appliance learned. It replaces what is known
// of the same model and class. Errors wrap pool.ErrInvalid; nothing is taken then.
func (p *Paths) Import(models []pool.BootModel) error {
	if len(models) > maxModels {
		return fmt.Errorf("%w: %d models, at most %d", pool.ErrInvalid, len(models), maxModels)
	}
	for _, m := range models {
		if m.Key == "" || len(m.Key) > 500 || strings.ContainsAny(m.Key, "\r\n") {
			return fmt.Errorf("%w: model %.60q", pool.ErrInvalid, m.Key)
		}
		for _, r := range m.Paths {
			if err := checkPath(m.Class, r.Path); err != nil {
				return fmt.Errorf("model %s: %w", m.Key, err)
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range models {
		*p.model(m.Key, m.Class) = m
	}
	p.dirty = true
	return nil
}
