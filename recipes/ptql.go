package recipes

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"appliance/recipes/groovy"
)

// This file is ServiceUtils.ProcessUtils: processes found by a query in
// Sigar's process table query language, "State.Name.eq=mysqld,Args.*.ct=3306":
// Class.Attribute.operator=value, joined by commas, which all must hold.

// term is one condition of a query.
type term struct {
	class, attribute, operator, value string
	re                                *regexp.Regexp // of operator re
}

// parseQuery reads a query. An error names the term and what may stand there.
func parseQuery(query string) ([]term, error) {
	var terms []term
	for _, text := range splitTerms(query) {
		left, value, ok := strings.Cut(text, "=")
		parts := strings.Split(left, ".")
		if !ok || len(parts) < 3 {
			return nil, fmt.Errorf("process query %q: %q is not Class.Attribute.operator=value", query, text)
		}
		t := term{class: parts[0], attribute: strings.Join(parts[1:len(parts)-1], "."), operator: parts[len(parts)-1], value: value}
		known := map[string][]string{"State": {"Name", "Ppid", "State"}, "Pid": {"Pid", "PidFile"}, "Exe": {"Name", "Cwd"}, "CredName": {"User"}}
		switch attributes, ok := known[t.class]; {
		case ok && !slices.Contains(attributes, t.attribute):
			return nil, fmt.Errorf("process query %q: %s has %s, not %s", query, t.class, strings.Join(attributes, ", "), t.attribute)
		case !ok && t.class != "Args" && t.class != "Env":
			return nil, fmt.Errorf("process query %q: class %s is none of State, Pid, Exe, CredName, Args, Env", query, t.class)
		case !slices.Contains([]string{"eq", "ne", "sw", "ew", "ct", "re", "gt", "ge", "lt", "le"}, t.operator):
			return nil, fmt.Errorf("process query %q: operator %s is none of eq, ne, sw, ew, ct, re, gt, ge, lt, le", query, t.operator)
		}
		if t.operator == "re" {
			var err error
			if t.re, err = regexp.Compile(value); err != nil {
				return nil, fmt.Errorf("process query %q: %w", query, err)
			}
		}
		terms = append(terms, t)
	}
	if len(terms) == 0 {
		return nil, errors.New("process query is empty")
	}
	return terms, nil
}

// splitTerms cuts a query at the commas that begin a new term; others belong
// to a value.
func splitTerms(query string) []string {
	begins := regexp.MustCompile(`^[A-Z][A-Za-z]*\.[^=,]+\.[a-z]{2}=`)
	var out []string
	for _, part := range strings.Split(query, ",") {
		if len(out) > 0 && !begins.MatchString(part) {
			out[len(out)-1] += "," + part
			continue
		}
		if part != "" {
			out = append(out, part)
		}
	}
	return out
}

// process is what /proc tells of a process, read when asked for.
type process struct {
	root string // /proc
	pid  int
}

// values are the texts that a term is about; one of them must match.
func (p process) values(t term) []string {
	dir := filepath.Join(p.root, strconv.Itoa(p.pid))
	switch t.class + "." + t.attribute {
	case "State.Name":
		return p.name(dir)
	case "State.Ppid", "State.State":
		f := stat(dir)
		if len(f) < 2 {
			return nil
		}
		return []string{f[map[string]int{"State": 0, "Ppid": 1}[t.attribute]]}
	case "Pid.Pid":
		return []string{strconv.Itoa(p.pid)}
	case "Exe.Name", "Exe.Cwd":
		target, err := os.Readlink(filepath.Join(dir, map[string]string{"Name": "exe", "Cwd": "cwd"}[t.attribute]))
		if err != nil {
			return nil
		}
		return []string{strings.TrimSuffix(target, " (deleted)")}
	case "CredName.User":
		return owner(dir)
	}
	list := nulls(filepath.Join(dir, map[string]string{"Args": "cmdline", "Env": "environ"}[t.class]))
	if t.class == "Env" {
		for _, kv := range list {
			if k, v, _ := strings.Cut(kv, "="); k == t.attribute {
				return []string{v}
			}
		}
		return nil
	}
	if n, err := strconv.Atoi(t.attribute); err == nil {
		if n < 0 || n >= len(list) {
			return nil
		}
		return list[n : n+1]
	}
	return list
}

// name is the kernel's name of a process, which has 15 characters at most,
// and the base name of its program where the kernel has cut it.
func (process) name(dir string) []string {
	b, err := os.ReadFile(filepath.Join(dir, "comm"))
	if err != nil {
		return nil
	}
	name := strings.TrimSuffix(string(b), "\n")
	if args := nulls(filepath.Join(dir, "cmdline")); len(name) == 15 && len(args) > 0 && strings.HasPrefix(filepath.Base(args[0]), name) {
		return []string{filepath.Base(args[0])}
	}
	return []string{name}
}

// stat are the fields of /proc/PID/stat after the name, which may hold blanks.
func stat(dir string) []string {
	b, err := os.ReadFile(filepath.Join(dir, "stat"))
	i := strings.LastIndexByte(string(b), ')')
	if err != nil || i < 0 {
		return nil
	}
	return strings.Fields(string(b)[i+1:])
}

func nulls(file string) []string {
	b, err := os.ReadFile(file)
	if err != nil || len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
}

func owner(dir string) []string {
	info, err := os.Stat(dir)
	if err != nil {
		return nil
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	id := strconv.FormatUint(uint64(st.Uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return []string{u.Username}
	}
	return []string{id}
}

// holds says whether the process meets the term.
func (t term) holds(p process) bool {
	if t.class == "Pid" && t.attribute == "PidFile" {
		b, err := os.ReadFile(t.value)
		return err == nil && strings.TrimSpace(string(b)) == strconv.Itoa(p.pid)
	}
	values := p.values(t)
	if t.operator == "ne" {
		return len(values) > 0 && !slices.Contains(values, t.value)
	}
	return slices.ContainsFunc(values, t.matches)
}

func (t term) matches(v string) bool {
	switch t.operator {
	case "eq":
		return v == t.value
	case "sw":
		return strings.HasPrefix(v, t.value)
	case "ew":
		return strings.HasSuffix(v, t.value)
	case "ct":
		return strings.Contains(v, t.value)
	case "re":
		return t.re.MatchString(v)
	}
	a, err1 := strconv.ParseInt(v, 10, 64)
	b, err2 := strconv.ParseInt(t.value, 10, 64)
	if err1 != nil || err2 != nil {
		return false
	}
	return map[string]bool{"gt": a > b, "ge": a >= b, "lt": a < b, "le": a <= b}[t.operator]
}

// pids are the processes below root (/proc) that meet all terms, in rising
// order; the asking process is not among them.
func pids(root string, terms []term) ([]int, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() && root == "/proc" {
			continue
		}
		p := process{root, pid}
		if !slices.ContainsFunc(terms, func(t term) bool { return !t.holds(p) }) {
			found = append(found, pid)
		}
	}
	slices.Sort(found)
	return found, nil
}

// processUtils is ServiceUtils.ProcessUtils.
func (f *folder) processUtils(t *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
	if len(args) != 1 {
		return nil, groovy.ErrNoMember
	}
	text := groovy.Format(args[0])
	query := map[string]string{
		"getPidsWithQuery":     text,
		"getPidsWithName":      "State.Name.eq=" + text,
		"getPidsWithFullName":  "Exe.Name.eq=" + text,
		"getPidsWithMainClass": "State.Name.eq=java,Args.*.eq=" + text,
	}[m]
	if query == "" {
		return nil, groovy.ErrNoMember
	}
	terms, err := parseQuery(query)
	if err != nil {
		return nil, groovy.Throw("IllegalArgumentException", "%v", err)
	}
	if f.checking() {
		return nil, groovy.Throw("UnsupportedOperationException", "ServiceUtils.ProcessUtils.%s is not available while a recipe is checked", m)
	}
	found, err := pids("/proc", terms)
	if err != nil {
		return nil, err
	}
	list := groovy.NewList()
	for _, pid := range found {
		list.Elems = append(list.Elems, int64(pid))
	}
	return list, t.Alloc(16 * len(found))
}
