package recipes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// folderOf makes a recipe folder of one descriptor and further files.
func folderOf(descriptor string, files ...string) fstest.MapFS {
	fsys := fstest.MapFS{"x-service.groovy": {Data: []byte(descriptor)}}
	for i := 0; i+1 < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return fsys
}

// service wraps statements in a service named a.
func service(statements string) string { return "service {\nname \"a\"\n" + statements + "\n}\n" }

// Each row is a rule of docs/recipes.md that refuses something, with the
// words of the original and the place.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
		files            []string
	}{
		{"syntax", "service {\n  name \"a\n}", "x-service.groovy:2:8: string is not closed\n\t  name \"a\n\t       ^", nil},
		{"endless loop", service("while (true) { }"), "x-service.groovy:3:8: limit exceeded", nil},
		{"missing script", service("lifecycle {\n  start \"go.sh\"\n}"), "x-service.groovy:4:3: start: the script go.sh is not in the recipe's folder\n\t  start \"go.sh\"\n\t  ^", nil},
		{"missing Groovy script", service("lifecycle { install \"go.groovy\" }"), "install: the script go.groovy is not", nil},
		{"script outside", service("lifecycle { start \"../go.sh\" }"), "is not in the recipe's folder", []string{"go.sh", ""}},
		{"script syntax", service("lifecycle { start \"go.groovy\" }"), "go.groovy:1:5: ", []string{"go.groovy", "a = )"}},
		{"script class", service("lifecycle { start \"go.groovy\" }"), "go.groovy:2:1: class AdminFactory is not available", []string{"go.groovy", "import x.Y\nnew AdminFactory().create()"}},
		{"second descriptor", service(""), "Found multiple configuration files", []string{"y-service.groovy", ""}},
		{"properties syntax", service(""), "x-service.properties:1:5: unexpected char: '#'", []string{"x-service.properties", "a = # no"}},
		{"undefined in properties", "service { name \"${b}\" }", "contains one or more invalid characters", []string{"x-service.properties", "b = nothing"}},
		{"unknown property", service("foo = 1"), "x-service.groovy:3:1: Could not find property: foo on Object: service", nil},
		{"near miss", service("numInstance 1"), "did you mean numInstances?", nil},
		{"unknown call", service("foo 1"), "Could not resolve DSL entry with name: foo", nil},
		{"unknown variable", service("icon foo"), "Could not resolve DSL entry with name: foo", nil},
		{"twice", service("name \"b\""), "Property duplication was found: Property name is defined more than once.", nil},
		{"two arguments", service("icon \"a\", \"b\""), "Property assignment of field: icon received an array with more then one item: [a, b]", nil},
		{"negative as command", service("retries -2"), "Could not resolve DSL entry with name: retries", nil},
		{"int", service("numInstances \"x\""), `Failed to set property numInstances of Object service. Error was: Error converting from 'String' to 'Integer' For input string: "x"`, nil},
		{"bool", service("elastic \"yup\""), "Can't convert value 'yup' to type class java.lang.Boolean", nil},
		{"list", service("dependsOn \"b\""), "Can't convert value 'b' to type interface java.util.List", nil},
		{"executable", service("lifecycle { start 5 }"), "The entry: start is not a valid executable entry: The given value: 5 is of type: java.lang.Integer", nil},
		{"executable map", service("lifecycle { start([1: \"a\"]) }"), "Entry start has a sub entry key which is not a string", nil},
		{"root", "compute { template \"a\" }", "Elements of  type compute may not be used as the root node of a DSL", nil},
		{"application inside", service("application { }"), "Elements of type: application may not be placed in internal nodes", nil},
		{"nesting", service("lifecycle { metricGroup { } }"), "The type: metricGroup may only be nested under elements of type userInterface", nil},
		{"two lifecycles", service("lifecycle { }\nlifecycle { }"), "There may only be one type of processing unit defined. Found more than one: [lifecycle, lifecycle]", nil},
		{"null", "println 1", "x-service.groovy:1:1: The DSL evaluated to a null", nil},
		{"empty file", "", "x-service.groovy:1:1: The DSL evaluated to a null", nil},
		{"value after the service", "service { name \"x\" }\n5", "x-service.groovy:2:1: The DSL reader cannot create a service context", nil},
		{"name not UTF-8", "service { name \"x\xff\" }", "x-service.groovy:1:11: Service.validateName: The name \"x\ufffd\" is not UTF-8 text", nil},
		{"extends itself", "service { extend \".\" }", "x-service.groovy:1:11: extend goes in a circle: x-service.groovy is extended by itself", nil},
		{"foreign root", "5", "does not evaluate to a Service", nil},
		{"no name", "service { }", "Service.validateName: The service's name is missing", nil},
		{"empty name", "service { name \"\" }", "Service.validateName: The service's name is empty", nil},
		{"braces in name", "service { name \"a(b)\" }", "contains one or more invalid characters", nil},
		{"path in name", "service { name \"../a\" }", "contains one or more invalid characters", nil},
		{"icon", service("icon \"a.png\""), `x-service.groovy:3:1: The icon file "a.png" does not exist.`, nil},
		{"type", service("type \"WEB\""), "The service type 'WEB' is undefined.The known service types include [UNDEFINED LOAD_BALANCER", nil},
		{"instances", service("numInstances 2"), "The requested number of instances (2) exceeds the maximum number of instances allowed (1) for service a.", nil},
		{"min", service("minAllowedInstances 0"), "Minimum number of instances (0) must be 1 or higher.", nil},
		{"min and max", service("minAllowedInstances 2"), "must be equal or greater than the minimum number of instances (2)", nil},
		{"ports backwards", service("network { accessRules { incoming([accessRule { type \"PUBLIC\"; portRange \"90-80\" }]) } }"), "Invalid port range description: 90-80", nil},
		{"isolation memory", service("isolationSLA { appShared { instanceMemoryMB(-1) } }"), "x-service.groovy:3:28: instanceMemoryMB of isolationSLA appShared must be higher than 0", nil},
		{"isolation management", service("isolationSLA { appShared { useManagement true } }"), "useManagement can be true only in a global isolationSLA", nil},
		{"metric unit", service("userInterface { metricGroups([metricGroup { name \"a\"; metrics([[\"m\", 5]]) }]) }"), "the defined metric [m, 5] is invalid", nil},
		{"axis unit", service("userInterface { widgetGroups([widgetGroup { widgets([barLineChart { metric \"m\"; axisYUnit 5 }]) }]) }"), "axisYUnit 5 is no Unit", nil},
		{"retries", service("retries(-2)"), "retries (-2) must be", nil},
		{"cache timeout", service("customProperties([\"org.cloudifysource.monitors-cache-timeout\": \"x\"])"), "property must be a long value", nil},
		{"package", service("customProperties([\"org.appliance.packages\": \"a; rm\"])"), `"a;" is no name of a Debian package`, nil},
		{"reserved command", service("customCommands([\"cloudify:x\": \"a\"])"), "reserved", nil},
		{"stop detection", service("lifecycle { stopDetection \"a\" }"), "The stop detection field only supports execution of closures", nil},
		{"monitors", service("lifecycle { monitors \"a\" }"), "The monitors event only supports execution of closures or returning a map", nil},
		{"event timeout", service("lifecycle { eventTimeoutSecs([nope: 5]) }"), "nope: 5 is no event", nil},
		{"grid", service("dataGrid { sla { } }"), "dataGrid is not supported", nil},
		{"access rule type", service("network { accessRules { incoming([accessRule { portRange \"80\" }]) } }"), "Missing type in access rule", nil},
		{"access rule enum", service("network { accessRules { incoming([accessRule { type \"FOO\" }]) } }"), "No enum constant org.cloudifysource.domain.network.AccessRuleType.FOO", nil},
		{"access rule target", service("network { accessRules { incoming([accessRule { type \"RANGE\"; portRange \"80\" }]) } }"), "Missing target in access rule of type RANGE", nil},
		{"access rule ports", service("network { accessRules { incoming([accessRule { type \"PUBLIC\" }]) } }"), "Missing port range in access rule", nil},
		{"access rule range", service("network { accessRules { incoming([accessRule { type \"PUBLIC\"; portRange \"80-x\" }]) } }"), "Invalid port range description: 80-x", nil},
		{"metric", service("userInterface { metricGroups([metricGroup { name \"a\"; metrics([5]) }]) }"), "the defined metric 5 is invalid. metric name should be of type 'String'", nil},
		{"scaling rule", service("scalingRules([scalingRule { }])"), "scalingRule must specify serviceStatistics", nil},
		{"two isolations", service("isolationSLA { global { }; dedicated { } }"), "cannot define two types of isolation sla's", nil},
		{"extend late", service("extend \"../b\""), "extend must be first inside the service block", nil},
		{"extend missing", "service { extend \"../b\" }", "could not find extended service in paths ../b", nil},
		{"fragment missing", service("load(\"none.groovy\")"), "load none.groovy", nil},
		{"attributes while loading", service("icon context.attributes.thisService.x"), "context method is not supported for services running outside a GSC.", nil},
		{"files while loading", service("new File(\"/tmp/x\").write(\"y\")"), "files are not written while a recipe is checked", nil},
		{"processes while loading", service("\"id\".execute()"), "execute is not available here", nil},
		{"network while loading", service("ServiceUtils.isPortFree(1)"), "not available while a recipe is checked", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(folderOf(tt.text, tt.files...), Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, ErrInvalid) {
				t.Errorf("Load = %v, want %s", err, tt.want)
			}
		})
	}
	if _, err := Load(fstest.MapFS{}, Options{}); err == nil || !strings.Contains(err.Error(), "Cannot find configuration file in") {
		t.Errorf("Load of an empty folder = %v", err)
	}
	if _, err := Load(fstest.MapFS{"a-cloud.groovy": {}}, Options{}); err == nil || !strings.Contains(err.Error(), "is a cloud descriptor") {
		t.Errorf("Load of a cloud = %v", err)
	}
}

// Each row is something that the language accepts.
func TestAccepted(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		files      []string
		check      func(*Recipe) bool
	}{
		{"assignment", "service { name = \"a\" }", nil, func(r *Recipe) bool { return r.Name == "a" && r.Stateful && r.NumInstances == 1 && r.Retries == -1 }},
		{"defaults", service("lifecycle { }"), nil, func(r *Recipe) bool {
			return r.StartDetectionTimeout == 90*time.Second && r.StartDetectionInterval == 5*time.Second
		}},
		{"conversions", service("maxAllowedInstances \"3\"\nnumInstances 1.5\nelastic \"true\"\nicon \"${'i'}.png\""), []string{"i.png", ""}, func(r *Recipe) bool { return r.Max == 3 && r.NumInstances == 1 && r.Elastic && r.Icon == "i.png" }},
		{"null call", service("icon null"), nil, func(r *Recipe) bool { return r.Icon == "" }},
		{"name from property of the same name", "service { name name }", []string{"x-service.properties", "name = \"p\""}, func(r *Recipe) bool { return r.Name == "p" }},
		{"overrides win, nested too", service("icon \"${c.d}${c.e}\""), []string{"x-service.properties", "c { d = 'i'; e = 'x' }", "x-service.overrides", "c { e = 'y' }", "iy", ""}, func(r *Recipe) bool { return r.Icon == "iy" }},
		{"code", "def n = 2\ndef f(x) { x * 2 }\nservice {\n  if (n > 1) { name \"b\" } else { name \"c\" }\n  maxAllowedInstances f(n)\n}", nil, func(r *Recipe) bool { return r.Name == "b" && r.Max == 4 }},
		{"last service wins", "service { name \"b\" }\nservice { name \"c\" }", nil, func(r *Recipe) bool { return r.Name == "c" }},
		{"type in any case", service("type \"database\""), nil, func(r *Recipe) bool { return r.Type == "DATABASE" }},
		{"stateful", service("stateful false"), nil, func(r *Recipe) bool { return !r.Stateful }},
		{"packages", service("customProperties([\"org.appliance.packages\": \"a-b, c  d+1\"])"), nil, func(r *Recipe) bool { return slices.Equal(r.Packages, []string{"a-b", "c", "d+1"}) }},
		{"port of the network", service("network { port 81; protocolDescription \"http\"; accessRules { incoming { [accessRule { type \"PUBLIC\"; portRange \"80,90-95\" }] } } }"), nil, func(r *Recipe) bool { return r.Port == 81 && r.Protocol == "http" && r.Network != nil }},
		{"port of a property", service(""), []string{"x-service.properties", "port = 82"}, func(r *Recipe) bool { return r.Port == 82 }},
		{"declared port", service("customProperties([\"org.appliance.port\": 83])"), []string{"x-service.properties", "port = 82"}, func(r *Recipe) bool { return r.Port == 83 }},
		{"entries", service("lifecycle { install \"i.sh a\"; start([\"s.sh\", 1]); stop([\"Win.*\": \"x.bat\", \"Linux.*\": \"i.sh\"]); details([\"k\": { 1 }]); eventTimeoutSecs([install: 60]) }"), []string{"i.sh", "", "s.sh", ""}, func(r *Recipe) bool {
			return r.Lifecycle["install"].Line == "i.sh a" && slices.Equal(r.Lifecycle["start"].Args, []string{"s.sh", "1"}) && r.Lifecycle["stop"].String() == "i.sh" &&
				r.Lifecycle["details"].Sub[0].Name == "k" && r.Timeouts["install"] == time.Minute
		}},
		{"imports nobody has", "import groovy.sql.Sql\nimport static a.b.C.*\n" + service(""), nil, func(r *Recipe) bool { return r.Name == "a" }},
		{"qualified name", service("icon org.cloudifysource.domain.cloud.FileTransferModes.SCP.toString()"), []string{"SCP", ""}, func(r *Recipe) bool { return r.Icon == "SCP" }},
		{"user interface and scaling", service(`userInterface {
			metricGroups = ([metricGroup { name "p"; metrics(["a", ["b", Unit.PERCENTAGE]]) }])
			widgetGroups = ([widgetGroup { name "w"; title "t"; widgets([balanceGauge { metric = "a" }, barLineChart { metric "b"; axisYUnit Unit.MEMORY }]) }])
		}
		scaleCooldownInSeconds 20
		scalingRules([scalingRule { serviceStatistics { metric "a"; statistics Statistics.maximumOfAverages; movingTimeRangeInSeconds 20 }
			highThreshold { value 5; instancesIncrease 1 } }])`), nil, func(r *Recipe) bool {
			return r.UserInterface != nil && r.ScalingRules != nil && len(r.Scaling.Rules) == 1 && len(r.Warnings) == 1 // not elastic
		}},
		{"fragment", service("load(\"life.groovy\")"), []string{"life.groovy", "{ -> icon \"life.groovy\" }"}, func(r *Recipe) bool { return r.Icon == "life.groovy" }},
		{"context", service("icon \"${context.instanceId}${context.isLocalCloud()}\""), []string{"1false", ""}, func(r *Recipe) bool { return r.Icon == "1false" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Load(folderOf(tt.text, tt.files...), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !tt.check(r) {
				t.Errorf("Load = %+v", r)
			}
		})
	}
}

// Both recipes of the founding article load.
func TestArticle(t *testing.T) {
	fsys := os.DirFS("testdata/article")
	r, err := Load(fsys, Options{Dir: "mysql"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Name != "mysql" || r.Port != 3306 || r.Max != 3 || !r.Elastic || r.StartDetectionTimeout != 900*time.Second || r.Lifecycle["stopDetection"].Closure == nil {
		t.Errorf("mysql = %+v", r)
	}
	v, err := Load(fsys, Options{Dir: "apps/db/mysql-vanilla"})
	if err != nil {
		t.Fatal(err)
	}
	if v.Name != "mysql-vanilla" || v.Type != "DATABASE" || v.Icon != "chef.png" || v.Lifecycle["install"].Line != "chef_install.sh" || v.Properties["chefVersion"] != "18" {
		t.Errorf("mysql-vanilla = %+v", v)
	}
	if d := cmp.Diff([]any{"recipe[mysql::server]"}, v.Properties["runParams"].(map[string]any)["run_list"]); d != "" {
		t.Errorf("the child's runParams (-want +got):\n%s", d)
	}
	if _, err := LoadDir("testdata/article/apps/db/mysql-vanilla", Options{}); err != nil {
		t.Errorf("LoadDir with a base outside of the folder: %v", err)
	}
	alone := os.DirFS("testdata/article/apps/db/mysql-vanilla")
	if _, err := Load(alone, Options{Library: os.DirFS("testdata/article/services")}); err != nil {
		t.Errorf("Load with the base in the library: %v", err)
	}
}

func TestApplication(t *testing.T) {
	app, err := Load(os.DirFS("testdata/article"), Options{Dir: "apps/db"})
	if err != nil {
		t.Fatal(err)
	}
	if !app.IsApplication() || len(app.Services) != 2 {
		t.Fatalf("application = %+v", app)
	}
	front := app.Services[1]
	_, stop := front.Lifecycle["stop"]
	if front.NumInstances != 2 || !slices.Equal(front.DependsOn, []string{"mysql-vanilla"}) || stop || front.Lifecycle["start"].Line != "front.sh" {
		t.Errorf("front = %+v", front)
	}
	for text, want := range map[string]string{
		"application { name \"a\"\n service { name \"none\" } }": "Could not find service directory: none",
		"application { }": "Application.validateName: The application's name is missing",
		"application { name \"a\"\n service { name \"s\"; dependsOn([\"t\"]) } }":       "Dependency 't' of service: s was not found",
		"application { name \"a\"\n service { name \"s\"; dependsOn([\"s\"]) } }":       "depend on each other in a circle: s",
		"application { name \"a\"\n service { name \"s\" } \n service { name \"s\" } }": "service s is defined more than once",
	} {
		_, err := Load(fstest.MapFS{"a-application.groovy": {Data: []byte(text)}, "s/s-service.groovy": {Data: []byte("service { name \"s\" }")}}, Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Load(%s) = %v, want %s", text, err, want)
		}
	}
}

// An extended recipe packs into an archive that loads by itself and that is
// the same each time.
func TestPack(t *testing.T) {
	r, err := Load(os.DirFS("testdata/article"), Options{Dir: "apps/db/mysql-vanilla"})
	if err != nil {
		t.Fatal(err)
	}
	archive, digest, err := r.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, again, _ := r.Pack(); again != digest || !strings.HasPrefix(digest, "sha256:") {
		t.Errorf("digests %s and %s", digest, again)
	}
	dir := t.TempDir()
	if err := Unpack(archive, digest, dir); err != nil {
		t.Fatal(err)
	}
	u, err := Load(os.DirFS(dir), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if u.Name != "mysql-vanilla" || u.Lifecycle["install"].Line != "chef_install.sh" {
		t.Errorf("unpacked = %+v", u)
	}
	if info, err := os.Stat(filepath.Join(dir, "chef_install.sh")); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("chef_install.sh is not executable: %v", err)
	}
	if _, second, _ := u.Pack(); second != digest {
		t.Errorf("packed again: %s, want %s", second, digest)
	}
	if err := Unpack(archive, "sha256:00", t.TempDir()); !errors.Is(err, ErrInvalid) {
		t.Errorf("Unpack with another digest = %v", err)
	}
	if err := Unpack(archive[:len(archive)/2], Digest(archive[:len(archive)/2]), t.TempDir()); !errors.Is(err, ErrInvalid) {
		t.Errorf("Unpack of half an archive = %v", err)
	}
}

// Overrides of a deployment travel in the archive, where scripts find them.
func TestPackOverrides(t *testing.T) {
	for _, files := range [][]string{nil, {"x-service.properties", "port = 1\na { b = 2; c = 3 }"}} {
		r, err := Load(folderOf(service(""), files...), Options{Overrides: "port = 8\na { b = 9 }"})
		if err != nil {
			t.Fatal(err)
		}
		archive, digest, err := r.Pack()
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := Unpack(archive, digest, dir); err != nil {
			t.Fatal(err)
		}
		u, err := Load(os.DirFS(dir), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r.Properties, u.Properties); d != "" || u.Port != 8 {
			t.Errorf("port %d, properties (-loaded +unpacked):\n%s", u.Port, d)
		}
	}
}

func TestPackRefusesLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "p")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Pack(os.DirFS(dir)); err == nil || !strings.Contains(err.Error(), "p: is no regular file") {
		t.Errorf("Pack = %v", err)
	}
}

func TestUnpackStaysInside(t *testing.T) {
	for _, name := range []string{"../out", "/out", "a/../../out"} {
		archive := tarOf(t, name)
		dir := filepath.Join(t.TempDir(), "in")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		err := Unpack(archive, Digest(archive), dir)
		if _, serr := os.Stat(filepath.Join(filepath.Dir(dir), "out")); err == nil || serr == nil {
			t.Errorf("Unpack of %s = %v; file outside: %v", name, err, serr == nil)
		}
	}
}

func TestSkeleton(t *testing.T) {
	files, err := Skeleton("my-app")
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for n, b := range files {
		fsys[n] = &fstest.MapFile{Data: b}
	}
	r, err := Load(fsys, Options{})
	if err != nil || r.Name != "my-app" || r.Port != 8080 || len(r.Warnings) > 0 {
		t.Errorf("Load of the skeleton = %+v, %v", r, err)
	}
	if _, err := Skeleton("../x"); err == nil {
		t.Error("Skeleton of ../x did not fail")
	}
}

func FuzzLoad(f *testing.F) {
	for _, s := range []string{service("numInstances 1"), "service { extend \"..\" }", service("lifecycle { start \"a.sh\" }"), service("network { port 1 }"), "application { name \"a\" }", service("plugins([plugin { className \"x\" }])")} {
		f.Add(s, "a = 1\nb { c = a }")
	}
	f.Fuzz(func(t *testing.T, descriptor, properties string) {
		r, err := Load(folderOf(descriptor, "x-service.properties", properties), Options{})
		if err == nil && r.Name == "" {
			t.Error("a recipe without a name was loaded")
		}
		if err != nil && fmt.Sprint(err) == "" {
			t.Error("the error says nothing")
		}
	})
}
