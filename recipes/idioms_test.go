package recipes

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"appliance/recipes/groovy"
)

// Idioms of recipes written for the original: they must load and run.
func TestIdioms(t *testing.T) {
	run, h := deploy(t, loaded(t, `import java.util.concurrent.TimeUnit;
import static JmxMonitors.*

service {

	name "tomcat"
	icon "tomcat.gif"
	type "APP_SERVER"

	elastic true
	numInstances 1
	minAllowedInstances 1
	maxAllowedInstances 2

	def instanceID = context.instanceId
	def portIncrement =  context.isLocalCloud() ? instanceID-1 : 0
	def currJmxPort = jmxPort + portIncrement

	lifecycle{

		details {
			def currPublicIP

			if (  context.isLocalCloud()  ) {
				currPublicIP = InetAddress.localHost.hostAddress
			}
			else {
				currPublicIP =context.getPublicAddress()
			}
			def contextPath = context.attributes.thisInstance["contextPath"]
			if (contextPath == 'ROOT') contextPath="" // ROOT means "" by convention in Tomcat
			def applicationURL = "http://${currPublicIP}:${currJmxPort}/${contextPath}"
			println "tomcat-service.groovy: applicationURL is ${applicationURL}"

			return [
				"Application URL":"<a href=\"${applicationURL}\" target=\"_blank\">${applicationURL}</a>"
			]
		}

		monitors {
			def metricNamesToMBeansNames = [
				"Current Http Threads Busy": ["Catalina:type=ThreadPool,name=\"http-bio-${currJmxPort}\"", "currentThreadsBusy"],
			]
			return metricNamesToMBeansNames.collectEntries { k, v -> [(k): v.size()] }
		}

		init    "tomcat_init.groovy"
		start ([ "Win.*":"run.bat", "Linux.*":"tomcat_start.sh" ])

		startDetectionTimeoutSecs 240
		startDetection {
			println "tomcat-service.groovy(startDetection): arePortsFree"
			!ServiceUtils.arePortsFree([currJmxPort, currJmxPort + 1] )
		}

		postStart {
			if ( useLB ) {
				def apacheService = context.waitForService("apacheLB", 0, TimeUnit.SECONDS)
				if ( apacheService == null ) { println "no load balancer" } else { apacheService.invoke("addNode") }
			}
		}
		locator {
			def myPids = ServiceUtils.ProcessUtils.getPidsWithQuery("State.Name.eq=java,Args.*.eq=org.apache.catalina.startup.Bootstrap")
			return myPids
		}
	}

	customCommands ([
		"updateWar" : {warUrl ->
			println "warUrl is ${warUrl}..."
			if (! warUrl) return "warUrl is null. So we do nothing."
			context.attributes.thisService["warUrl"] = "${warUrl}"
			return true
		} ,
		"count" : "tomcat_start.sh"
	])

	userInterface {
		metricGroups = ([
			metricGroup {
				name "process"
				metrics([
					"Process Cpu Usage",
					["Total Process Virtual Memory", Unit.MEMORY],
				])
			} ,
		]
		)
	}

	network {
		port port
		protocolDescription "HTTP"
	}
}
`, "x-service.properties", `port = 8080
jmxPort = 11099
version = "7.0.23"
name = "apache-tomcat-${version}"
zipName = "${name}.zip"
tomcat {
	home = System.getenv("HOME") ?: "/opt"
	opts = ["-Xmx": "128m"]
}
def scriptPath = "x"
useLB = !false && port > 80
`, "tomcat.gif", "", "tomcat_start.sh", "", "tomcat_init.groovy", `
import org.cloudifysource.dsl.context.ServiceContextFactory
import org.hyperic.sigar.OperatingSystem

def config=new ConfigSlurper().parse(new File("x-service.properties").toURL())
osConfig = ServiceUtils.isWindows() ? config.win32 : config.linux
context = ServiceContextFactory.getServiceContext()

def writeConf(file, Map values, String sep = "=") {
	new File(file).withWriter { out ->
		values.each { key, value -> out.write("${key}${sep}${value}\n") }
	}
}

def currVendor=OperatingSystem.getInstance().getVendor()
switch (currVendor) {
	case ["Ubuntu", "Debian", "Mint"]:
		writeConf("conf", [port: config.port, zip: config.zipName])
		break
	case ~/.*(?i)(Red Hat|CentOS).*/:
		throw new Exception("no")
	default: throw new Exception("Support for ${currVendor} is not implemented")
}
def text = new File("conf").text
text = text.replace("8080", "${config.port + 1}")
new File("conf").text = text
context.attributes.thisInstance["contextPath"] = 'ROOT'
def found = new File("conf").readLines().find { it =~ /^zip=/ }
println "found ${found} ${config.tomcat.opts['-Xmx']} ${osConfig}"
int tries = 0
while (tries++ < 3) { try { if (tries == 2) { throw new IOException("again") } } catch (Throwable e) { println e.message } }
println "${[1,2,3].sum()} ${"a,b".split(",").toList()} ${new Random().nextInt(1)}"
return
`))
	var out strings.Builder
	if _, err := run.Run(t.Context(), "init", nil, &out); err != nil {
		t.Fatal(err)
	}
	if want := "found zip=apache-tomcat-7.0.23.zip 128m [:]\nagain\n6 [a, b] 0\n"; out.String() != want {
		t.Errorf("init printed %q, want %q", out.String(), want)
	}
	res, err := run.Run(t.Context(), "details", nil, nil)
	if m, ok := res.Value.(map[string]any); err != nil || !ok || m["Application URL"] != `<a href="http://10.0.0.7:11099/" target="_blank">http://10.0.0.7:11099/</a>` {
		t.Errorf("details = %v, %v", res.Value, err)
	}
	res, err = run.Run(t.Context(), "monitors", nil, nil)
	if m, ok := res.Value.(map[string]any); err != nil || !ok || m["Current Http Threads Busy"] != int64(2) {
		t.Errorf("monitors = %v, %v", res.Value, err)
	}
	out.Reset()
	if _, err := run.Run(t.Context(), "postStart", nil, &out); err != nil || out.String() != "no load balancer\n" {
		t.Errorf("postStart = %v, %q", err, out.String())
	}
	if res, err := run.Command(t.Context(), "updateWar", []string{"http://x/y.war"}, nil); err != nil || res.Value != true {
		t.Errorf("updateWar = %+v, %v", res, err)
	}
	if got := h.attrs[Scope{Kind: ThisService, Service: "tomcat"}]["warUrl"]; got != "http://x/y.war" {
		t.Errorf("warUrl = %v", got)
	}
	if run.Recipe.Port != 8080 || run.Recipe.Protocol != "HTTP" {
		t.Errorf("port %d %s", run.Recipe.Port, run.Recipe.Protocol)
	}
	// What AntBuilder scripts look like parses, and names no class that is missing.
	ant := "def a = 1\nbuilder = new AntBuilder()\nbuilder.sequential {\n\tmkdir(dir:\"${a}\")\n\texec(executable:\"x.sh\", osfamily:\"unix\") {\n\t\targ value:\"-q\"\n\t\targ(line:\"y\")\n\t}\n\techo message:\"x\", file:\"y\"\n\tchmod(dir:\"a/b\", perm:'+x', includes:\"*.sh\")\n}\n"
	s, err := groovy.Parse("ant.groovy", ant)
	if err != nil {
		t.Fatal(err)
	}
	if missing := (source{}).check(s); len(missing) != 0 {
		t.Errorf("check = %v", missing)
	}
}

// Closures ask the binding whether a property is there.
func TestBinding(t *testing.T) {
	const text = `service { name "x"; lifecycle {
		init { println binding.variables["runParams"] ? runParams : "none"; println binding.hasVariable("port") }
	}; customCommands(["run": { list = "role[${context.serviceName}]", kind = "client" ->
		list = list.split(",").collect() { it.stripIndent() }
		output = "$kind " +  \
			"$list"
		println output
	}]) }`
	for _, tt := range []struct{ props, want string }{{"", "none\nfalse\n"}, {"runParams = [1]\nport = 2\n", "[1]\ntrue\n"}} {
		r := loaded(t, text, "x-service.properties", tt.props)
		if slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "is not") }) {
			t.Errorf("warnings: %q", r.Warnings)
		}
		run, _ := deploy(t, r)
		var out strings.Builder
		if _, err := run.Run(t.Context(), "init", nil, &out); err != nil || out.String() != tt.want {
			t.Errorf("%q: %q, %v, want %q", tt.props, out.String(), err, tt.want)
		}
		out.Reset()
		if _, err := run.Command(t.Context(), "run", []string{"a, b"}, &out); err != nil || out.String() != "client [a, b]\n" {
			t.Errorf("command: %q, %v", out.String(), err)
		}
	}
}

// What public recipes of the original use beside the language's usual means.
func TestBeside(t *testing.T) {
	r := loaded(t, `service {
	name "x"
	userInterface load("ui.groovy")
	lifecycle { init "go.groovy"; start "go.groovy" }
}
`, "ui.groovy", "userInterface { metricGroups = ([metricGroup { name \"process\"; metrics([\"Load\"]) }]) }\n",
		"util.groovy", "def static twice(n) { n * 2 }\n", "Shell.groovy", "def static shout(s) { s.toUpperCase() }\n", "go.groovy", `import util
println util.twice(2) + Shell.shout("a")
println([1, 2].size)
new File("d/some-1").mkdirs(); new File("d/other").mkdirs(); new File("d/some-2").text = "two"
new File("d").eachDirMatch(~/some-.*/) { println it.name }
new AntBuilder().zip(destfile: "z.zip", basedir: "d")
def z = new java.util.zip.ZipFile(new File("z.zip"))
z.entries().each { println "${it} ${it.size} ${it.directory}" }
println z.getInputStream(z.getEntry("some-2")).text + z.size() + z.getEntry("none")
z.close()
try { new java.util.zip.ZipFile("go.groovy") } catch (java.util.zip.ZipException e) { println "no archive" }
`)
	if len(r.Warnings) > 0 {
		t.Errorf("warnings: %q", r.Warnings)
	}
	if g := r.MetricGroups; len(g) != 1 || g[0].Name != "process" {
		t.Errorf("metric groups = %+v", g)
	}
	run, _ := deploy(t, r)
	var out strings.Builder
	if _, err := run.Run(t.Context(), "init", nil, &out); err != nil {
		t.Fatal(err)
	}
	if want := "4A\n2\nsome-1\n"; !strings.HasPrefix(out.String(), want) || !strings.HasSuffix(out.String(), "some-2 3 false\ntwo3null\nno archive\n") {
		t.Errorf("init printed %q", out.String())
	}
}

// Classes of a base's folder lie beside the recipe's own on a machine.
func TestClassOfBase(t *testing.T) {
	fsys := fstest.MapFS{
		"a/a-service.groovy": {Data: []byte("service {\n\textend \"../b\"\n\tname \"a\"\n\tlifecycle {\n\t\tinit \"go.groovy\"\n\t\tstart { Shell.run(\"x\"); Boot.get(context: context).converge([:]) }\n\t}\n}\n")},
		"a/go.groovy":        {Data: []byte("Boot.get().converge([:])\n")},
		"b/b-service.groovy": {Data: []byte("service {\n\tname \"b\"\n\tlifecycle { start \"b.sh\" }\n}\n")},
		"b/b.sh":             {Data: []byte("")},
		"b/Shell.groovy":     {Data: []byte("class Failed extends Exception { }\ndef static run(c) { c }\n")},
		"b/Boot.groovy":      {Data: []byte("import static Shell.*\nclass Boot {\n\tdef static get(options = [:]) { new Boot() }\n\tdef converge(m) { run(m) }\n}\n")},
	}
	if r, found := Check(fsys, Options{Dir: "a"}); r == nil || len(found) > 0 {
		t.Errorf("findings: %v", found)
	}
}
