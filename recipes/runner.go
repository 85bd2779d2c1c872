package recipes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

// Runner runs the entries of one instance on its machine. Closures and, when
// Groovy is empty, Groovy scripts run in this process; everything else is
// handed to Host. Calls of several goroutines wait for each other while they
// evaluate a closure. Make one with NewRunner.
type Runner struct {
	Recipe *Recipe
	Host   Host
	Values Values
	Dir    string // the unpacked recipe on this machine
	// Groovy is put before a Groovy script's file and arguments to run it as
	// a process (appliance-agent groovy). Start always needs it.
	Groovy []string
	// Spawn runs the Groovy script of start beside the caller when Groovy is
	// empty; it returns at once.
	Spawn func(script func(context.Context) (Result, error))

	turn chan struct{}
}

// NewRunner makes a runner for the recipe unpacked in dir.
func NewRunner(r *Recipe, h Host, v Values, dir string) *Runner {
	v.InstanceID = max(v.InstanceID, 1)
	v.Planned = max(v.Planned, 1)
	v.ServiceName = first(v.ServiceName, r.Name)
	v.ApplicationName = first(v.ApplicationName, "default")
	return &Runner{Recipe: r, Host: h, Values: v, Dir: dir, turn: make(chan struct{}, 1)}
}

// Run runs the entry of a lifecycle event, or of startDetection,
// stopDetection, locator, monitors, details or verify. Output goes to out,
// with secrets that the recipe set masked. The error is that of an entry
// which failed; Result says with which exit code. A detection never fails but
// by ctx or a limit: what goes wrong in it is "false" with a warning.
func (r *Runner) Run(ctx context.Context, event string, args []string, out io.Writer) (Result, error) {
	e, ok := r.Recipe.Lifecycle[event]
	if !ok && event == "drain" {
		e, ok = r.Recipe.CustomCommands[event]
	}
	if !ok {
		return Result{OK: true}, nil
	}
	res, err := r.entry(ctx, event, e, args, out)
	if event != "startDetection" && event != "stopDetection" {
		return res, err
	}
	if err != nil {
		if ctx.Err() != nil || errors.Is(err, groovy.ErrLimit) {
			return res, err
		}
		res.Warnings = append(res.Warnings, fmt.Sprintf("%s: %v", event, err))
		res.OK = false
		return res, nil
	}
	if e.Closure != nil {
		b, isBool := res.Value.(bool)
		if !isBool {
			res.Warnings = append(res.Warnings, fmt.Sprintf("%s returned %v, not a Boolean: taken as false", event, res.Value))
		}
		res.OK = b
	}
	return res, nil
}

// Command runs a custom command.
func (r *Runner) Command(ctx context.Context, name string, args []string, out io.Writer) (Result, error) {
	e, ok := r.Recipe.CustomCommands[name]
	if !ok {
		return Result{}, fmt.Errorf("run custom command: No such Custom Command: %s", name)
	}
	return r.entry(ctx, name, e, args, out)
}

func (r *Runner) entry(ctx context.Context, event string, e Entry, args []string, out io.Writer) (res Result, err error) {
	start := time.Now()
	red := &redactor{w: out}
	res, err = r.one(ctx, event, e, args, red)
	if ferr := red.flush(); err == nil {
		err = ferr
	}
	res.Ran, res.Duration = true, time.Since(start)
	res.OK = err == nil
	if err != nil {
		err = fmt.Errorf("%s: %w", event, err)
	}
	return res, err
}

func (r *Runner) one(ctx context.Context, event string, e Entry, args []string, red *redactor) (Result, error) {
	switch {
	case e.Closure != nil:
		return r.closure(ctx, e.Closure, args, red)
	case e.Sub != nil:
		all := map[string]any{}
		for _, s := range e.Sub {
			res, err := r.one(ctx, event, s.Entry, args, red)
			if err != nil {
				return res, fmt.Errorf("%s: %w", s.Name, err)
			}
			all[s.Name] = res.Value
		}
		return Result{Value: all}, nil
	case e.ByOS != nil:
		o, ok := e.forLinux()
		if !ok {
			return Result{}, invalidf("Could not find command line for argument %s: no entry is for Linux", event)
		}
		return r.one(ctx, event, o, nil, red) // arguments go to String entries only
	case len(e.Args) > 0:
		return r.process(ctx, event, e.Args[0], e.Args[1:], nil, red)
	}
	words := strings.Split(e.Line, " ")
	return r.process(ctx, event, words[0], append(words[1:], args...), &line{rest: strings.TrimPrefix(e.Line, words[0]), args: args}, red)
}

// line is a command line for sh: what follows its first word, and arguments.
type line struct {
	rest string
	args []string
}

// process runs a script or program.
func (r *Runner) process(ctx context.Context, event, first string, rest []string, sh *line, red *redactor) (Result, error) {
	background := event == "start"
	if strings.HasSuffix(first, ".groovy") {
		if len(r.Groovy) == 0 {
			if background {
				if r.Spawn == nil {
					return Result{}, fmt.Errorf("run %s: no program for Groovy scripts is set", first)
				}
				r.Spawn(func(ctx context.Context) (Result, error) { return r.script(ctx, first, rest, red) })
				return Result{}, nil
			}
			return r.script(ctx, first, rest, red)
		}
		argv := append(append(append([]string(nil), r.Groovy...), first), rest...)
		return r.exec(ctx, Command{Argv: argv, Background: background}, red)
	}
	argv := append([]string{first}, rest...)
	if strings.HasSuffix(first, ".sh") && !strings.Contains(first, "/") {
		argv[0] = "./" + first
	}
	if sh != nil { // quoting inside the string is the shell's
		text := argv[0] + sh.rest
		for _, a := range sh.args {
			text += " '" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		argv = []string{"/bin/sh", "-c", text}
	}
	return r.exec(ctx, Command{Argv: argv, Background: background}, red)
}

func (r *Runner) exec(ctx context.Context, c Command, red *redactor) (Result, error) {
	c.Dir, c.Env = r.Dir, r.Env()
	code, err := r.Host.Exec(ctx, c, red)
	if err == nil && code != 0 {
		err = fmt.Errorf("external process exited with abnormal status code: %d", code)
	}
	return Result{ExitCode: code}, err
}

// Env is the environment of the instance's processes: what the original sets
// (section 2.5 of the language), and each plain property as RECIPE_name.
func (r *Runner) Env() []string {
	v := r.Values
	full := v.ApplicationName + "." + v.ServiceName
	env := []string{
		"USM_CLUSTER_NAME=" + full, "USM_APPLICATION_NAME=" + v.ApplicationName, "USM_SERVICE_NAME=" + v.ServiceName,
		"USM_PU_UNIQUE_NAME=" + full, fmt.Sprintf("USM_INSTANCE_ID=%d", v.InstanceID), fmt.Sprintf("USM_NUMBER_OF_INSTANCES=%d", v.Planned),
		fmt.Sprintf("USM_RUNNING_NUMBER=%d", v.InstanceID-1), "USM_SERVICE_FILE_NAME=" + r.Recipe.descriptor,
		"MACHINE_IP_ADDRESS=" + v.PrivateAddress, "CLOUDIFY_AGENT_ENV_PRIVATE_IP=" + v.PrivateAddress,
		"CLOUDIFY_AGENT_ENV_PUBLIC_IP=" + first(v.PublicAddress, v.PrivateAddress), "CLOUDIFY_CLOUD_MACHINE_ID=" + v.MachineID,
		"CLOUDIFY_CLOUD_LOCATION_ID=" + v.LocationID,
	}
	for _, name := range sortedNames(r.Recipe.Properties) {
		switch p := r.Recipe.Properties[name].(type) {
		case string, int64, float64, bool:
			env = append(env, fmt.Sprintf("RECIPE_%s=%v", name, p))
		}
	}
	return env
}

// closure evaluates a closure; only one runs at a time, since closures of a
// recipe share its variables.
func (r *Runner) closure(ctx context.Context, c *groovy.Closure, args []string, red *redactor) (res Result, err error) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
	in, f := r.interp(red, nil)
	defer func() { err = errors.Join(err, f.close(ctx)) }()
	vals := make([]groovy.Value, len(args))
	for i, a := range args {
		vals[i] = a
	}
	v, err := in.Call(ctx, c, vals...)
	var exit *groovy.Exit
	if errors.As(err, &exit) {
		return exited(exit.Code)
	}
	return Result{Value: groovy.Plain(v)}, err
}

func exited(code int) (Result, error) {
	if code != 0 {
		return Result{ExitCode: code}, fmt.Errorf("script exited with code %d", code)
	}
	return Result{}, nil
}

// interp is the interpreter of one evaluation on the machine, and what its
// classes reach, which is closed behind it.
func (r *Runner) interp(red *redactor, args []string) (*groovy.Interp, *folder) {
	c := &contextObject{values: r.Values, name: r.Recipe.Name, dir: r.Dir, host: r.Host, secrets: red}
	f := &folder{dir: r.Dir, context: c, env: r.Env(), host: r.Host, src: source{fsys: r.Recipe.fsys, dir: r.Recipe.dir}}
	rd := &reader{load: &loader{}, src: f.src, vars: r.Recipe.vars, context: c, types: blockTypes()}
	return &groovy.Interp{
		Base: rd, Classes: classes(f), Out: red, Args: args, Sleep: f.sleep, Import: importFrom(f.src), Start: f.start,
		Limits: groovy.Limits{Steps: 2_000_000_000, Bytes: 2 << 30},
	}, f
}

// script runs a Groovy script of the recipe in this process.
func (r *Runner) script(ctx context.Context, name string, args []string, red *redactor) (res Result, err error) {
	src, ok := r.Recipe.locate(name)
	if !ok {
		return Result{}, fmt.Errorf("run %s: the script is not in the recipe's folder", name)
	}
	text, err := readText(src.fsys, path.Join(src.dir, name))
	if err != nil {
		return Result{}, err
	}
	s, err := groovy.Parse(name, text)
	if err != nil {
		return Result{}, err
	}
	in, f := r.interp(red, args)
	defer func() { err = errors.Join(err, f.close(ctx)) }()
	in.Base = nil // scripts read their properties with ConfigSlurper
	v, err := in.Run(ctx, s)
	var exit *groovy.Exit
	if errors.As(err, &exit) {
		return exited(exit.Code)
	}
	return Result{Value: groovy.Plain(v)}, err
}

// RunScript runs a Groovy script of the recipe, as "appliance-agent groovy
// FILE ARGS" does. The code is that of System.exit, 1 when err is set.
func (r *Runner) RunScript(ctx context.Context, file string, args []string, out io.Writer) (code int, err error) {
	if filepath.IsAbs(file) {
		if rel, err := filepath.Rel(r.Dir, file); err == nil {
			file = rel
		}
	}
	red := &redactor{w: out}
	res, err := r.script(ctx, file, args, red)
	if ferr := red.flush(); err == nil {
		err = ferr
	}
	if err != nil && res.ExitCode == 0 {
		return 1, err
	}
	return res.ExitCode, err
}

// forLinux chooses the entry whose pattern matches "Linux", the first wins.
func (e Entry) forLinux() (Entry, bool) {
	for _, o := range e.ByOS {
		if matchesOS(o.Pattern) {
			return o.Entry, true
		}
	}
	return Entry{}, false
}

func matchesOS(pattern string) bool {
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return pattern == "Linux"
	}
	return re.MatchString("Linux")
}
