package recipes

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// byon is a cloud of hosts that already run, in the forms the original takes.
const byon = `cloud {
	name = "byon"
	configuration {
		className "org.cloudifysource.esc.driver.provisioning.byon.ByonProvisioningDriver"
		managementMachineTemplate "SMALL_LINUX"
		components { rest { port 8100 }; orchestrator { startMachineTimeoutInSeconds 1800 } }
	}
	provider { provider "byon"; cloudifyUrl "http://example.org/x.zip"; sshLoggingLevel "WARNING" }
	user { user "${admin}" }
	cloudCompute {
		templates ([
			SMALL_LINUX : computeTemplate {
				imageId "debian-12"
				numberOfCores 2
				machineMemoryMB 1600
				localDirectory "upload"
				keyFile keyFile
				username admin
				privileged true
				openFilesLimit "64000"
				fileTransfer org.cloudifysource.domain.cloud.FileTransferModes.SCP
				env([A: 1])
				custom ([
					"nodesList" : ([
						([ "id":"n{0}", "host-list":"${lab}, 0.0.0.5" ]),
						([ "id":"r{0}", "host-range":"0.0.0.9-0.0.0.11", "username":"root", "credential":"x" ]),
					])
				])
			}
		])
	}
	cloudStorage { templates ([ DATA : storageTemplate { size 5; path "/data"; fileSystemType "ext4"; deviceName "/dev/xvdc" } ]) }
	cloudNetwork { management { networkConfiguration { name "m"; subnets ([ subnet { range "10.0.0.0/24" } ]) } } }
}
`

func cloudFiles(text string) fstest.MapFS {
	return fstest.MapFS{"byon-cloud.groovy": {Data: []byte(text)}, "upload/key.pem": {Data: []byte("x")},
		"byon-cloud.properties": {Data: []byte("admin = \"root\"\nkeyFile = \"key.pem\"\nlab = \"pc-lab100\"\n")}}
}

func TestLoadCloud(t *testing.T) {
	c, err := LoadCloud(cloudFiles(byon), ".")
	if err != nil {
		t.Fatal(err)
	}
	want := []ComputeTemplate{{Name: "SMALL_LINUX", Cores: 2, MemoryMB: 1600, ImageID: "debian-12", Username: "root", KeyFile: "key.pem",
		FileTransfer: "SCP", RemoteExecution: "SSH", Privileged: true, LocalDirectory: "upload", UploadFolder: "upload", Env: map[string]string{"A": "1"},
		Nodes: []NodeList{{ID: "n{0}", List: "pc-lab100, 0.0.0.5"}, {ID: "r{0}", Range: "0.0.0.9-0.0.0.11", Username: "root", Credential: "x"}}}}
	got := c.Templates
	for i := range got {
		got[i].Custom = nil
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("templates (-want +got):\n%s", d)
	}
	if len(c.Storage) != 1 || c.Storage[0].SizeGB != 5 || c.Storage[0].Path != "/data" || c.Name != "byon" || c.Provider != "byon" {
		t.Errorf("cloud = %+v", c)
	}
}

func TestCloudRefused(t *testing.T) {
	for _, tt := range []struct{ from, to, want string }{
		{`provider "byon"`, `provider ""`, "Provider cannot be empty"},
		{`http://example.org/x.zip`, `nowhere`, `cloudifyUrl "nowhere" is no URL`},
		{`"WARNING"`, `"LOUD"`, "sshLoggingLevel LOUD is none of INFO"},
		{`sshLoggingLevel "WARNING"`, `numberOfManagementMachines 3`, "Invalid numberOfManagementMachines: 3"},
		{`managementMachineTemplate "SMALL_LINUX"`, `managementMachineTemplate "SMALL_LINX"`, "is not listed in the cloud's templates section (did you mean SMALL_LINUX?)"},
		{`managementMachineTemplate "SMALL_LINUX"`, ``, "managementMachineTemplate is missing"},
		{`user "${admin}"`, `user "ENTER_USER"`, "still the placeholder ENTER_USER"},
		{`keyFile keyFile`, `keyFile "none.pem"`, "The specified key file none.pem was not found"},
		{`localDirectory "upload"`, `localDirectory "/upload"`, "must be relative"},
		{`privileged true`, ``, "openFilesLimit of template SMALL_LINUX needs privileged true"},
		{`imageId "debian-12"`, `imageID "debian-12"`, "byon-cloud.groovy:13:5: Could not find property: imageID on Object: computeTemplate (did you mean imageId?)"},
		{`"host-range":`, `"host-rang":`, "unknown key host-rang"},
		{`"nodesList" : ([`, `"nodesList" : 5, "x": ([`, "Nodes list not set"},
		{`FileTransferModes.SCP`, `FileTransferModes.FTP`, "FTP"},
		{`name = "byon"`, ``, "the cloud's name is missing"},
		{"cloud {", "service {", ""},
	} {
		if !strings.Contains(byon, tt.from) {
			t.Fatalf("%q is not in the descriptor", tt.from)
		}
		_, err := LoadCloud(cloudFiles(strings.Replace(byon, tt.from, tt.to, 1)), ".")
		if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want %q", tt.to, err, tt.want)
		}
	}
}

func TestLoadTemplates(t *testing.T) {
	one := "[ %s : computeTemplate { localDirectory \"up\"; numberOfCores 4; custom([nodesList: [[id: \"a\", \"host-list\": \"10.0.0.1\"]]]) } ]"
	named := func(n string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(strings.Replace(one, "%s", n, 1))} }
	fsys := fstest.MapFS{"up/x": {}, "a-template.groovy": named("A"), "b-template.groovy": named("B")}
	all, err := LoadTemplates(fsys, ".")
	if err != nil || len(all) != 2 || all[0].Name != "A" || all[1].Cores != 4 || all[0].Nodes[0].List != "10.0.0.1" {
		t.Fatalf("LoadTemplates = %+v, %v", all, err)
	}
	fsys["b-template.groovy"] = named("A")
	fsys["c-template.groovy"] = &fstest.MapFile{Data: []byte("[ C : computeTemplate { }, D : computeTemplate { } ]")}
	delete(fsys, "up/x")
	_, err = LoadTemplates(fsys, ".")
	for _, want := range []string{"template with the name [A] already exist in folder", "Too many templates in one groovy file", "Could not find upload directory"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("LoadTemplates = %v, want %q", err, want)
		}
	}
	if _, err := LoadTemplates(fstest.MapFS{}, "."); err == nil || !strings.Contains(err.Error(), "There is no template files") {
		t.Errorf("LoadTemplates of nothing = %v", err)
	}
}
