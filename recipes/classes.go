package recipes

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"appliance/recipes/groovy"
	"appliance/recipes/sql"
	"appliance/recipes/xml"
)

// folder is what the host classes of an evaluation may reach. While a recipe
// is checked dir is empty: files of the recipe can be read, nothing else.
type folder struct {
	src     source
	dir     string
	context *contextObject
	env     []string // of the event, for System.getenv
	host    Host     // that runs processes; nil while checking

	props   groovy.Value // of System; nil before they are asked for
	opened  []io.Closer  // connections and files of the evaluation
	started []*child     // its processes
}

// close closes what the evaluation left open. Its processes go on, as those of
// Groovy do, unless it was ended from outside.
func (f *folder) close(ctx context.Context) error {
	var err error
	for _, c := range f.opened {
		err = errors.Join(err, c.Close())
	}
	for _, p := range f.started {
		err = errors.Join(err, p.leave(ctx.Err() != nil, f.context.secrets))
	}
	f.opened, f.started = nil, nil
	return err
}

func (f *folder) checking() bool { return f.dir == "" }

func classNames() []string {
	return []string{"File", "URL", "URI", "ProcessBuilder", "Runtime", "System", "InetAddress", "ServiceUtils", "ServiceContextFactory", "Unit", "Statistics",
		"FileTransferModes", "RemoteExecutionModes", "ScriptLanguages", "OperatingSystem", "AccessRuleType", "ZipFile", "FileType", "FileVisitResult",
		"MessageDigest", "CRC32", "Socket", "ServerSocket", "InetSocketAddress", "NetworkInterface", "Scanner", "Path", "Paths", "Files", "StandardCopyOption", "StandardOpenOption"}
}

// classes are the host classes of an evaluation.
func classes(f *folder) map[string]*groovy.Class {
	all := map[string]*groovy.Class{}
	for _, name := range classNames() {
		all[name] = &groovy.Class{Name: name, Static: f.static(name), Members: members(name)}
	}
	all["File"].New = f.newFile
	all["AntBuilder"] = f.ant()
	all["URL"].New, all["URI"].New = f.newURL, f.newURI
	all["ProcessBuilder"].New = f.newBuilder
	all["ZipFile"].New = f.newZipFile
	all["CRC32"].New, all["Scanner"].New = newCRC32, f.newScanner
	all["Socket"].New, all["ServerSocket"].New, all["InetSocketAddress"].New = f.newSocket, f.newListener, newEndpoint
	for _, name := range streamNames() {
		all[name] = &groovy.Class{Name: name, New: f.newStreamOf(name), Members: members(name)}
	}
	db := sql.Host{Opened: func(c io.Closer) { f.opened = append(f.opened, c) }}
	if f.checking() {
		db.Refuse = "while a recipe is checked nothing is asked of a network"
	}
	all["Sql"] = sql.Class(db)
	maps.Copy(all, xml.Classes(xml.Host{File: func(t *groovy.Thread, path string) (groovy.Value, error) { return f.newFile(t, []groovy.Value{path}) }}))
	return all
}

func (f *folder) static(name string) groovy.Object {
	fn := func(call func(*groovy.Thread, string, []groovy.Value) (groovy.Value, error)) groovy.Object {
		return &groovy.Functions{Name: name, Func: call}
	}
	switch name {
	case "System":
		return &systemClass{f: f, Functions: &groovy.Functions{Name: name, Func: f.system, Consts: map[string]groovy.Value{
			"env": f.environment(), "out": console(), "err": console(), "in": bytesOf(textStream(""))}}}
	case "InetAddress":
		return fn(f.inetAddress)
	case "Runtime":
		return fn(f.runtime)
	case "File":
		return &groovy.Functions{Name: name, Func: f.fileStatic, Consts: map[string]groovy.Value{"separator": "/", "pathSeparator": ":", "separatorChar": "/"}}
	case "URI":
		return fn(func(t *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
			if m != "create" {
				return nil, groovy.ErrNoMember
			}
			return f.newURI(t, args)
		})
	case "ServiceUtils":
		downloads := &groovy.Functions{Name: "DownloadUtil", Func: f.downloadUtil}
		return &groovy.Functions{Name: name, Func: f.serviceUtils, Consts: map[string]groovy.Value{
			"ProcessUtils": &groovy.Functions{Name: "ServiceUtils.ProcessUtils", Func: f.processUtils}, "downloadUtil": downloads}}
	case "ServiceContextFactory":
		return fn(func(_ *groovy.Thread, m string, _ []groovy.Value) (groovy.Value, error) {
			if m == "getServiceContext" && f.context != nil {
				return f.context, nil
			}
			return nil, groovy.ErrNoMember
		})
	case "OperatingSystem":
		return fn(func(_ *groovy.Thread, m string, _ []groovy.Value) (groovy.Value, error) {
			if m != "getInstance" {
				return nil, groovy.ErrNoMember
			}
			return &groovy.Functions{Name: name, Consts: map[string]groovy.Value{"vendor": "Debian", "vendorName": "Debian", "vendorVersion": "12",
				"vendorCodeName": "bookworm", "name": "Linux", "description": "Debian GNU/Linux 12 (bookworm)", "arch": "x86_64", "machine": "x86_64",
				"win32": false}}, nil
		})
	case "Statistics":
		o := enum(name, statistics()...)
		o.Func = func(_ *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
			if _, ok := o.Consts[m]; !ok {
				return nil, groovy.ErrNoMember
			}
			if len(args) == 1 { // percentile(90)
				m += "(" + groovy.Format(args[0]) + ")"
			}
			return groovy.Enum{Class: name, Name: m}, nil
		}
		return o
	case "Unit":
		return enum(name, "REGULAR", "PERCENTAGE", "MEMORY", "DURATION")
	case "FileTransferModes":
		return enum(name, "SFTP", "SCP", "CIFS")
	case "RemoteExecutionModes":
		return enum(name, "SSH", "WINRM")
	case "ScriptLanguages":
		return enum(name, "LINUX_SHELL", "WINDOWS_BATCH")
	case "MessageDigest":
		return fn(messageDigest)
	case "NetworkInterface":
		return fn(f.networkInterface)
	case "Paths":
		return fn(f.paths)
	case "Files":
		return fn(f.files)
	case "StandardCopyOption":
		return enum(name, "REPLACE_EXISTING", "COPY_ATTRIBUTES", "ATOMIC_MOVE")
	case "StandardOpenOption":
		return enum(name, "READ", "WRITE", "APPEND", "TRUNCATE_EXISTING", "CREATE", "CREATE_NEW", "DELETE_ON_CLOSE", "SPARSE", "SYNC", "DSYNC")
	case "FileType":
		return enum(name, fileTypes()...)
	case "FileVisitResult":
		return enum(name, visitResults()...)
	case "AccessRuleType":
		return enum(name, "PRIVATE", "SERVICE", "APPLICATION", "CLUSTER", "PUBLIC", "RANGE", "GROUP")
	}
	return nil
}

func enum(class string, names ...string) *groovy.Functions {
	f := &groovy.Functions{Name: class, Consts: map[string]groovy.Value{}}
	var all []groovy.Value
	for _, n := range names {
		f.Consts[n] = groovy.Enum{Class: class, Name: n}
		all = append(all, f.Consts[n])
	}
	f.Func = func(_ *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
		switch {
		case m == "values" && len(args) == 0:
			return groovy.Array(class, all...), nil
		case m == "valueOf" && len(args) == 1:
			if v, ok := f.Consts[groovy.Format(args[0])]; ok {
				return v, nil
			}
			return nil, groovy.Throw("IllegalArgumentException", "No enum constant %s.%s", class, groovy.Format(args[0]))
		}
		return nil, groovy.ErrNoMember
	}
	return f
}

// properties are Java's system properties that recipes ask for, and what the
// script sets.
func (f *folder) properties(t *groovy.Thread) (groovy.Value, error) {
	if f.props != nil {
		return f.props, nil
	}
	class, _ := t.Class("Properties")
	m, err := t.CallMethod(class, "newInstance", nil)
	if err != nil {
		return nil, err
	}
	for _, kv := range [][2]string{{"os.name", "Linux"}, {"os.arch", "amd64"}, {"user.name", "root"}, {"user.home", "/root"},
		{"java.io.tmpdir", "/tmp"}, {"file.separator", "/"}, {"path.separator", ":"}, {"line.separator", "\n"}, {"user.dir", f.dir},
		{"file.encoding", "UTF-8"}, {"java.version", "1.7.0"}} {
		if _, err := t.CallMethod(m, "put", []groovy.Value{kv[0], kv[1]}); err != nil {
			return nil, err
		}
	}
	f.props = m
	return m, nil
}

// systemClass is the static side of System, whose properties are made when they
// are asked for.
type systemClass struct {
	*groovy.Functions
	f *folder
}

// Get reads a constant, or the properties.
func (s *systemClass) Get(t *groovy.Thread, id string) (groovy.Value, error) {
	if id == "properties" {
		return s.f.properties(t)
	}
	return s.Functions.Get(t, id)
}

// environment is empty while a recipe is checked: the appliance's own is not
// the recipe's to read.
func (f *folder) environment() groovy.Value {
	m := groovy.NewMap()
	if f.checking() {
		return m
	}
	for _, kv := range append(os.Environ(), f.env...) {
		for i := range kv {
			if kv[i] == '=' {
				m.Put(kv[:i], kv[i+1:])
				break
			}
		}
	}
	return m
}

func (f *folder) system(t *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
	switch m {
	case "getProperty", "setProperty", "clearProperty":
		if len(args) == 0 || len(args) > 2 || args[0] == nil {
			return nil, groovy.ErrNoMember
		}
		p, err := f.properties(t)
		if err != nil {
			return nil, err
		}
		if m == "clearProperty" {
			m = "remove"
		}
		return t.CallMethod(p, m, args)
	case "getProperties":
		return f.properties(t)
	case "lineSeparator":
		return "\n", nil
	case "getenv":
		src := f.environment().(*groovy.Map)
		if len(args) == 0 {
			return src, nil
		}
		v, _ := src.Get(groovy.Format(args[0]))
		return v, nil
	case "exit":
		code := int64(0)
		if len(args) > 0 {
			code, _ = args[0].(int64)
		}
		return nil, &groovy.Exit{Code: int(code & 0xff)}
	case "currentTimeMillis":
		return time.Now().UnixMilli(), nil
	case "nanoTime":
		return time.Now().UnixNano(), nil
	}
	return nil, groovy.ErrNoMember
}

// serviceUtils are the port and HTTP questions.
func (f *folder) serviceUtils(t *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
	switch m {
	case "isWindows":
		return false, nil
	case "isLinuxOrUnix":
		return true, nil
	case "getDownloadUtil":
		return &groovy.Functions{Name: "DownloadUtil", Func: f.downloadUtil}, nil
	case "getPrimaryInetAddress":
		return f.inetAddress(t, "getLocalHost", nil)
	}
	if len(args) == 0 {
		return nil, groovy.ErrNoMember
	}
	if f.checking() {
		return nil, groovy.Throw("UnsupportedOperationException", "ServiceUtils.%s is not available while a recipe is checked", m)
	}
	host := "127.0.0.1"
	if len(args) == 2 {
		host = groovy.Format(args[0])
	}
	last := args[len(args)-1]
	switch m {
	case "isPortOccupied", "isPortFree":
		ok, err := occupied(t.Context(), host, last)
		return ok == (m == "isPortOccupied"), err
	case "arePortsFree", "arePortsOccupied":
		list, ok := last.(*groovy.List)
		if !ok {
			list = groovy.NewList(last)
		}
		for _, p := range list.Elems {
			ok, err := occupied(t.Context(), host, p)
			if err != nil || ok != (m == "arePortsOccupied") {
				return false, err
			}
		}
		return true, nil
	case "isHttpURLAvailable":
		return httpCode(t.Context(), groovy.Format(last)) == http.StatusOK, nil
	case "getHttpReturnCode":
		return int64(httpCode(t.Context(), groovy.Format(last))), nil
	}
	return nil, groovy.ErrNoMember
}

// occupied says whether something accepts connections on the port. What does
// not answer within a second does not; but of this machine itself that says
// only that it is busy: it is asked again, with more patience.
func occupied(ctx context.Context, host string, port groovy.Value) (bool, error) {
	n, err := strconv.Atoi(groovy.Format(port))
	if err != nil || n < 1 || n > 65535 {
		return false, groovy.Throw("IllegalArgumentException", "%s is no port", groovy.Format(port))
	}
	waits := []time.Duration{time.Second}
	if host == "localhost" || net.ParseIP(host).IsLoopback() {
		waits = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}
	}
	for _, wait := range waits {
		d := net.Dialer{Timeout: wait}
		c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(n)))
		if err == nil {
			return true, c.Close()
		}
		var late net.Error
		if ctx.Err() != nil || !errors.As(err, &late) || !late.Timeout() {
			return false, ctx.Err()
		}
	}
	return false, nil
}

// httpCode is the answer's status; 500 when there is none, as the original.
func httpCode(ctx context.Context, url string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 500
	}
	c := http.Client{Timeout: time.Second}
	resp, err := c.Do(req)
	if err != nil {
		return 500
	}
	_ = resp.Body.Close() // only the status counts
	return resp.StatusCode
}

// sleep waits for ms, at most a day, or until ctx ends.
func sleep(ctx context.Context, ms int64) error {
	timer := time.NewTimer(time.Duration(min(max(ms, 0), 86400_000)) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
