package recipes

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"appliance/recipes/groovy"
)

// Cloud is a cloud driver's descriptor (NAME-cloud.groovy): what templates
// there are, and for "bring your own node" which hosts. The appliance takes
// its templates and hosts; provider, user and network belong to the original's
// drivers and are checked and kept.
type Cloud struct {
	Name      string
	Provider  string
	Templates []ComputeTemplate // sorted by name
	Storage   []StorageTemplate // sorted by name
	Warnings  []string
}

// ComputeTemplate is a kind of machine that services ask for by name.
type ComputeTemplate struct {
	Name                         string
	Cores                        int // 1 when not said
	MemoryMB                     int
	ImageID, HardwareID          string
	LocationID                   string
	Username, Password, KeyFile  string
	RemoteDirectory              string
	FileTransfer                 string // SFTP, SCP or CIFS
	RemoteExecution              string // SSH or WINRM
	Privileged                   bool
	Initialization               string // a command that runs before the agent
	Env                          map[string]string
	Custom, Options, Overrides   map[string]any
	Nodes                        []NodeList // of custom.nodesList
	LocalDirectory, UploadFolder string     // as written, and found below the descriptor
}

// NodeList is one entry of a template's nodesList: hosts that already run, as
// a list or a range, and how to log in to them.
type NodeList struct {
	ID         string `json:"id"`
	List       string `json:"hostList,omitempty"`
	Range      string `json:"hostRange,omitempty"`
	Username   string `json:"username,omitempty"`
	Credential string `json:"credential,omitempty"`
	KeyFile    string `json:"keyFile,omitempty"`
}

// StorageTemplate is a kind of volume that services ask for by name.
type StorageTemplate struct {
	Name           string
	SizeGB         int
	NamePrefix     string
	Path           string // where it is mounted
	FileSystem     string
	Device         string
	Partition      bool
	DeleteOnExit   bool
	CustomSettings map[string]any
}

// cloudTypes are the blocks of cloud and template descriptors (section 1.8).
func cloudTypes() map[string]blockType {
	component := "memory:s port:i"
	return makeTypes(map[string][2]string{
		"cloud":                {"", "name:s provider:o user:o configuration:o cloudCompute:o cloudStorage:o cloudNetwork:o custom:m"},
		"user":                 {"cloud", "user:s apiKey:s keyFile:s"},
		"provider":             {"cloud", "provider:s cloudifyUrl:s cloudifyOverridesUrl:s machineNamePrefix:s managementOnlyFiles:l managementGroup:s sshLoggingLevel:s numberOfManagementMachines:i reservedMemoryCapacityPerMachineInMB:i reservedMemoryCapacityPerManagementMachineInMB:i zones:l"},
		"configuration":        {"cloud", "className:s storageClassName:s networkDriverClassName:s nicAddress:s lookupGroups:s lookupLocators:s managementMachineTemplate:s managementStorageTemplate:s bootstrapManagementOnPublicIp:b connectToPrivateIp:b remoteUsername:s remotePassword:s adminLoadingTimeInSeconds:i persistentStoragePath:s components:o"},
		"components":           {"configuration", "orchestrator:o discovery:o deployer:o webui:o usm:o rest:o agent:o"},
		"orchestrator":         {"components", component + " startMachineTimeoutInSeconds:i stopMachineTimeoutInSeconds:i"},
		"discovery":            {"components", component + " discoveryPort:i"},
		"deployer":             {"components", component + " webster:i websterPort:i"},
		"webui":                {"components", component},
		"usm":                  {"components", component + " portRange:s attributesStoreDiscoveryTimeoutInSeconds:i"},
		"rest":                 {"components", component + " attributesStoreDiscoveryTimeoutInSeconds:i"},
		"agent":                {"components", component},
		"cloudCompute":         {"cloud", "templates:m"},
		"cloudStorage":         {"cloud", "className:s templates:m"},
		"cloudNetwork":         {"cloud", "management:o templates:m custom:m"},
		"management":           {"cloudNetwork", "networkConfiguration:o"},
		"networkConfiguration": {"management cloudNetwork", "name:s subnets:l custom:m"},
		"subnet":               {"networkConfiguration", "range:s name:s options:m"},
		"computeTemplate": {" cloudCompute", `numberOfCores:i machineMemoryMB:i hardwareId:s imageId:s locationId:s localDirectory:s keyFile:s
			autoRestartAgent:b availabilityZones:l options:m overrides:m custom:m fileTransfer:a remoteExecution:a scriptLanguage:a
			username:s password:s remoteDirectory:s privileged:b initializationCommand:s javaUrl:s env:m openFilesLimit:s
			computeNetwork:o installer:o absoluteUploadDir:s`},
		"computeNetwork":  {"computeTemplate", "networks:l"},
		"installer":       {"computeTemplate", "connectionTestRouteResolutionTimeoutMillis:i connectionTestIntervalMillis:i connectionTestConnectTimeoutMillis:i fileTransferConnectionTimeoutMillis:i fileTransferRetries:i fileTransferPort:i fileTransferConnectionRetryIntervalMillis:i remoteExecutionPort:i remoteExecutionConnectionTimeoutMillis:i"},
		"storageTemplate": {" cloudStorage", "size:i namePrefix:s custom:m partitioningRequired:b deleteOnExit:b path:s fileSystemType:s deviceName:s"},
	})
}

// LoadCloud reads and checks the cloud descriptor in dir of fsys. Its faults
// wrap ErrInvalid, all of them at once.
func LoadCloud(fsys fs.FS, dir string) (*Cloud, error) {
	ctx, cancel := context.WithTimeout(context.Background(), loadTime)
	defer cancel()
	l := &loader{ctx: ctx, fsys: fsys, opt: Options{Dir: dir}, types: cloudTypes()}
	src, err := findKind(fsys, dir, "cloud")
	if err == nil {
		c := l.cloud(src)
		if len(l.faults) == 0 {
			return c, nil
		}
		return nil, loadError(l.faults)
	}
	return nil, loadError([]error{err})
}

// LoadTemplates reads the template descriptors (NAME-template.groovy) in dir.
func LoadTemplates(fsys fs.FS, dir string) ([]ComputeTemplate, error) {
	ctx, cancel := context.WithTimeout(context.Background(), loadTime)
	defer cancel()
	l := &loader{ctx: ctx, fsys: fsys, opt: Options{Dir: dir}, types: cloudTypes()}
	files, err := fs.Glob(fsys, path.Join(dir, "*-template.groovy"))
	if err == nil && len(files) == 0 {
		err = invalidf("There is no template files in %s", path.Base(dir))
	}
	l.note(err)
	var all []ComputeTemplate
	for _, f := range files {
		src := source{fsys: fsys, dir: path.Clean(dir), file: path.Base(f)}
		v, err := l.evaluate(src)
		l.note(err)
		m, ok := v.(*groovy.Map)
		if err == nil && !ok {
			l.note(invalidf("%s: a template file is a map of one template: [NAME: computeTemplate { ... }]", src.file))
			continue
		}
		if err != nil {
			continue
		}
		if m.Len() > 1 {
			l.note(invalidf("%s: Too many templates in one groovy file", src.file))
		}
		for _, t := range l.computeTemplates(src, m) {
			if slices.ContainsFunc(all, func(o ComputeTemplate) bool { return o.Name == t.Name }) {
				l.note(invalidf("%s: template with the name [%s] already exist in folder", src.file, t.Name))
			}
			if t.UploadFolder == "" && t.LocalDirectory != "" {
				l.note(invalidf("%s: Could not find upload directory %s of template %s", src.file, t.LocalDirectory, t.Name))
			}
			all = append(all, t)
		}
	}
	if len(l.faults) > 0 {
		return nil, loadError(l.faults)
	}
	return all, nil
}

func findKind(fsys fs.FS, dir, kind string) (source, error) {
	if kindOf(dir) == kind {
		return source{fsys: fsys, dir: path.Dir(dir), file: path.Base(dir)}, nil
	}
	files, err := fs.Glob(fsys, path.Join(dir, "*-"+kind+".groovy"))
	switch {
	case err != nil:
		return source{}, err
	case len(files) == 0:
		return source{}, invalidf("Cannot find configuration file in %s: no *-%s.groovy", path.Base(dir), kind)
	case len(files) > 1:
		return source{}, invalidf("Found multiple configuration files: %s. Only one may be supplied in the folder.", strings.Join(files, ", "))
	}
	return source{fsys: fsys, dir: path.Clean(dir), file: path.Base(files[0])}, nil
}

// evaluate runs a cloud or template descriptor with its properties.
func (l *loader) evaluate(src source) (groovy.Value, error) {
	script, err := l.parse(src, src.file)
	if err != nil {
		return nil, err
	}
	vars, err := l.properties(src, nil)
	if err != nil {
		return nil, err
	}
	rd := &reader{load: l, src: src, vars: vars, context: &contextObject{values: l.values()}, types: l.types}
	in := &groovy.Interp{Base: rd, Classes: classes(&folder{src: src}), Import: importFrom(src), Limits: groovy.Limits{Steps: loadSteps}}
	return in.Run(l.ctx, script)
}

// cloud builds a Cloud and notes what is wrong with it.
func (l *loader) cloud(src source) *Cloud {
	v, err := l.evaluate(src)
	b, ok := v.(*block)
	if err == nil && (!ok || b.typ != "cloud") {
		err = invalidf("%s: The DSL does not evaluate to a cloud", src.file)
	}
	if err != nil {
		l.note(err)
		return nil
	}
	c := &Cloud{Name: b.str("name"), Provider: b.child("provider").str("provider")}
	if c.Name == "" {
		l.fault(b, "name", "the cloud's name is missing")
	}
	if m, ok := b.child("cloudCompute").vals["templates"].(*groovy.Map); ok {
		c.Templates = l.computeTemplates(src, m)
	}
	if m, ok := b.child("cloudStorage").vals["templates"].(*groovy.Map); ok {
		c.Storage = l.storageTemplates(src, m)
	}
	l.checkProvider(b.child("provider"))
	l.checkConfiguration(b.child("configuration"), c)
	for _, name := range []string{"user", "apiKey"} {
		if u := b.child("user"); u.str(name) == "ENTER_USER" || u.str(name) == "ENTER_KEY" {
			l.fault(u, name, "user: %s is still the placeholder %s", name, u.str(name))
		}
	}
	c.Warnings = l.warnings
	return c
}

func (l *loader) checkProvider(p *block) {
	if p.str("provider") == "" {
		l.fault(p, "provider", "Provider cannot be empty")
	}
	if text := p.str("cloudifyUrl"); text != "" {
		if u, err := url.Parse(text); err != nil || u.Scheme == "" || u.Host == "" {
			l.fault(p, "cloudifyUrl", "cloudifyUrl %q is no URL", text)
		}
	}
	levels := []string{"INFO", "FINE", "FINER", "FINEST", "WARNING", "DEBUG"}
	if level := p.str("sshLoggingLevel"); level != "" && !slices.Contains(levels, level) {
		l.fault(p, "sshLoggingLevel", "sshLoggingLevel %s is none of %s", level, strings.Join(levels, ", "))
	}
	if n := p.integer("numberOfManagementMachines", 1); n != 1 && n != 2 {
		l.fault(p, "numberOfManagementMachines", "Invalid numberOfManagementMachines: %d; it must be 1 or 2", n)
	}
}

func (l *loader) checkConfiguration(b *block, c *Cloud) {
	name := b.str("managementMachineTemplate")
	if name == "" {
		l.fault(b, "managementMachineTemplate", "managementMachineTemplate is missing")
		return
	}
	known := map[string]bool{}
	for _, t := range c.Templates {
		known[t.Name] = true
	}
	if !known[name] {
		l.fault(b, "managementMachineTemplate", "The management machine template %s is not listed in the cloud's templates section%s", name, hint(name, known))
	}
}

// computeTemplates reads a map of name to computeTemplate block.
func (l *loader) computeTemplates(src source, m *groovy.Map) []ComputeTemplate {
	var out []ComputeTemplate
	for _, k := range m.Keys() {
		v, _ := m.Get(k)
		b, ok := v.(*block)
		if !ok || b.typ != "computeTemplate" {
			l.note(invalidf("%s: template %s is no computeTemplate block", src.file, groovy.Format(k)))
			continue
		}
		out = append(out, l.computeTemplate(src, groovy.Format(k), b))
	}
	slices.SortFunc(out, func(a, b ComputeTemplate) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (l *loader) computeTemplate(src source, name string, b *block) ComputeTemplate {
	t := ComputeTemplate{
		Name: name, Cores: b.integer("numberOfCores", 1), MemoryMB: b.integer("machineMemoryMB", 0), ImageID: b.str("imageId"),
		HardwareID: b.str("hardwareId"), LocationID: b.str("locationId"), Username: b.str("username"), Password: b.str("password"),
		KeyFile: b.str("keyFile"), RemoteDirectory: b.str("remoteDirectory"), Privileged: b.boolean("privileged", false),
		Initialization: b.str("initializationCommand"), LocalDirectory: b.str("localDirectory"), Env: map[string]string{},
		Custom: b.plainMap("custom"), Options: b.plainMap("options"), Overrides: b.plainMap("overrides"),
	}
	for k, v := range b.plainMap("env") {
		t.Env[k] = fmt.Sprint(v)
	}
	t.FileTransfer = l.oneOf(b, "fileTransfer", "SFTP", "SCP", "CIFS")
	t.RemoteExecution = l.oneOf(b, "remoteExecution", "SSH", "WINRM")
	if dir := t.LocalDirectory; dir != "" {
		full := path.Join(src.dir, filepath.ToSlash(dir))
		if info, err := fs.Stat(src.fsys, full); fs.ValidPath(full) && err == nil && info.IsDir() {
			t.UploadFolder = full
		}
		if path.IsAbs(dir) {
			l.fault(b, "localDirectory", "localDirectory %s of template %s must be relative", dir, name)
		}
	}
	if t.KeyFile != "" && t.UploadFolder != "" {
		if _, err := fs.Stat(src.fsys, path.Join(t.UploadFolder, t.KeyFile)); err != nil {
			l.fault(b, "keyFile", "The specified key file %s was not found in %s", t.KeyFile, t.LocalDirectory)
		}
	}
	if b.str("openFilesLimit") != "" && !t.Privileged {
		l.fault(b, "openFilesLimit", "openFilesLimit of template %s needs privileged true", name)
	}
	if t.Cores < 1 || t.MemoryMB < 0 {
		l.fault(b, "numberOfCores", "template %s: numberOfCores %d and machineMemoryMB %d must be positive", name, t.Cores, t.MemoryMB)
	}
	t.Nodes = l.nodes(b, name)
	return t
}

// oneOf is a property that names one of some values; the first when not set.
func (l *loader) oneOf(b *block, name string, values ...string) string {
	v, ok := b.vals[name]
	if !ok || v == nil {
		return values[0]
	}
	text := groovy.Format(v)
	if e, ok := v.(groovy.Enum); ok {
		text = e.Name
	}
	if !slices.Contains(values, text) {
		l.fault(b, name, "%s %s is none of %s", name, text, strings.Join(values, ", "))
	}
	return text
}

func (b *block) plainMap(name string) map[string]any {
	m, _ := groovy.Plain(b.vals[name]).(map[string]any)
	return m
}

// nodes reads custom.nodesList; the hosts are named by whoever takes them.
func (l *loader) nodes(b *block, template string) []NodeList {
	v, set := b.plainMap("custom")["nodesList"]
	if !set {
		return nil
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		l.fault(b, "custom", "template %s: Nodes list not set: nodesList is a list of maps", template)
		return nil
	}
	var out []NodeList
	for i, e := range list {
		m, ok := e.(map[string]any)
		if !ok {
			l.fault(b, "custom", "template %s: nodesList[%d] is no map", template, i)
			continue
		}
		for k := range m {
			if !slices.Contains([]string{"id", "host-list", "host-range", "ip", "username", "credential", "keyFile"}, k) {
				l.fault(b, "custom", "template %s: nodesList[%d]: unknown key %s; known are id, host-list, host-range, username, credential, keyFile", template, i, k)
			}
		}
		text := func(k string) string {
			if m[k] == nil {
				return ""
			}
			return fmt.Sprint(m[k])
		}
		out = append(out, NodeList{ID: text("id"), List: first(text("host-list"), text("ip")), Range: text("host-range"),
			Username: text("username"), Credential: text("credential"), KeyFile: text("keyFile")})
	}
	return out
}

func (l *loader) storageTemplates(src source, m *groovy.Map) []StorageTemplate {
	var out []StorageTemplate
	for _, k := range m.Keys() {
		v, _ := m.Get(k)
		b, ok := v.(*block)
		if !ok || b.typ != "storageTemplate" {
			l.note(invalidf("%s: storage template %s is no storageTemplate block", src.file, groovy.Format(k)))
			continue
		}
		t := StorageTemplate{Name: groovy.Format(k), SizeGB: b.integer("size", 0), NamePrefix: b.str("namePrefix"), Path: b.str("path"),
			FileSystem: b.str("fileSystemType"), Device: b.str("deviceName"), Partition: b.boolean("partitioningRequired", false),
			DeleteOnExit: b.boolean("deleteOnExit", false), CustomSettings: b.plainMap("custom")}
		if t.SizeGB < 0 {
			l.fault(b, "size", "storage template %s: size %d must not be negative", t.Name, t.SizeGB)
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b StorageTemplate) int { return strings.Compare(a.Name, b.Name) })
	return out
}
