# The two commands: make demo, make test. Everything they need, they install.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  = -s -w -X main.version=$(VERSION)
B        = build
AGENT    = $(B)/bin/appliance-agent
ARMAGENT = $(B)/bin/appliance-agent-arm64
GOFILES  = $(shell git ls-files -co --exclude-standard '*.go' '*.sql' go.mod go.sum)
UISRC    = $(shell git ls-files -co --exclude-standard ui)
IMAGE    = $(B)/debian-12.raw
MIRROR   = $(B)/packages
# The virtual rack's disks boot with Debian's cloud kernel: it starts faster under emulation.
KERNEL  ?= cloud
T       ?= 20s
GO       = go
FUZZ     = $(shell grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -r -n1 dirname | sort -u)

.PHONY: help demo test unit prepare vet lint ui-check ui-test build agent kit image mirror e2e scripts-check vagrant fuzz golden openapi clean bench

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: prepare build $(IMAGE) $(MIRROR)/Packages $(B)/bin/rack ## a virtual rack, from power-on to a running database (DEMO_MACHINES=3, ARGS=...)
	$(B)/bin/rack demo -appliance bin/appliance -image $(IMAGE) -packages $(MIRROR) $(ARGS)

test: prepare vet lint scripts-check vagrant unit-race ui-test root-test engine-test sim-test e2e ## everything; what CI runs
	@echo "make test: all passed"

unit: ## the quick tests: no root, no race detector
	$(GO) test -short -tags nokit ./...

.PHONY: unit-race
unit-race:
	$(GO) test -count=1 .
	$(GO) test -short -race -timeout 20m -tags nokit ./...

# What -short leaves out, because it is long or needs root and a built boot kit:
# the agent as PID 1, the kit and the image themselves, recipes that are bombs.
.PHONY: root-test
root-test: kit
	$(GO) test -count=1 -run 'TestPID1|TestDataDisk' ./agent
	$(GO) test -count=1 -run TestVMs ./orchestrator/compute
	$(GO) test -count=1 -run TestBombs ./recipes/groovy
	$(GO) test -count=1 -run 'TestMariaDB|TestPostgreSQL' ./recipes/sql
	$(GO) test -count=1 -run TestInterop ./dhcp ./tftp
	$(GO) test -count=1 -tags nokit -run 'TestDoctorNetwork|TestInventory|TestAgentByIPv6' ./cmd/appliance
	$(GO) test -count=1 -run 'TestPuppet|TestAnsible|TestPlan' ./recipes/shipped
	IMAGES_E2E=1 IMAGES_CACHE=$(CURDIR)/$(B)/cache/kit $(GO) test -run TestBuild ./images/kit/build
	IMAGES_E2E=1 IMAGES_CACHE=$(CURDIR)/$(B)/cache $(GO) test -run TestBuildAndMirror ./images/debian

# What -short leaves out of the engine: the model's wider bounds, a bounded
# sample of make chaos.
.PHONY: engine-test
engine-test:
	$(GO) test -count=1 -tags nokit -timeout 15m -run 'TestModel|TestChaos|TestApplicationKilled' ./orchestrator -chaos.faults=2000

# The shipped binary against the simulated rack: the network, the BMCs and the
# agents of 60 machines, with faults, in namespaces that the test makes; and
# machines that stop in the middle of a boot, each to be diagnosed.
.PHONY: sim-test
sim-test: build
	APPLIANCE_BIN=$(CURDIR)/bin/appliance $(GO) test -count=1 -timeout 15m -run 'TestRack|TestDiagnoses|TestDeployStorm' ./rack/sim

.PHONY: oracle
oracle: ## run the recipe language's scripts under Debian's groovy and compare
	@scripts/oracle.sh

prepare: ## install the Debian packages that build and tests need
	@scripts/prepare.sh

vet:
	$(GO) vet -tags nokit ./...
	CGO_ENABLED=0 $(GO) vet ./cmd/appliance-agent

lint: tools/bin/golangci-lint ## golangci-lint, from its own tools module
	tools/bin/golangci-lint run ./...

tools/bin/golangci-lint: tools/go.mod tools/go.sum
	cd tools && GOBIN=$(CURDIR)/tools/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

scripts-check:
	shellcheck -x scripts/*.sh recipes/shipped/*/*.sh bench/*.sh bench/figure

vagrant:
	@if command -v vagrant >/dev/null; then vagrant validate; else echo "vagrant is not here: Vagrantfile not checked"; fi

# --- the console -----------------------------------------------------------

ui/node_modules: ui/package.json ui/package-lock.json
	cd ui && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

ui/dist/index.html: ui/node_modules $(UISRC)
	cd ui && npm run --silent build
	@touch $@

ui-check: ui/node_modules ## type-check the console
	cd ui && npm run --silent check

ui-test: ui-check build ## the console in headless Chromium
	cd ui && APPLIANCE_BIN=$(CURDIR)/bin/appliance npm run --silent test

# --- what is shipped -------------------------------------------------------

# The agent speaks HTTP/1.1 only: HTTP/2 would make it 0.4 MB larger.
agent: $(AGENT) ## the agent, static
$(AGENT): $(GOFILES)
	CGO_ENABLED=0 $(GO) build -tags nethttpomithttp2 -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/appliance-agent

# The agents that are put on hosts that already run, one for each architecture.
AGENTS   = images/kit/data/appliance-agent-amd64.zst images/kit/data/appliance-agent-arm64.zst

.PHONY: agents
agents: $(AGENTS)
images/kit/data/appliance-agent-amd64.zst: $(AGENT)
	zstd -q -f -12 -o $@ $<
images/kit/data/appliance-agent-arm64.zst: $(ARMAGENT)
	zstd -q -f -12 -o $@ $<

$(ARMAGENT): $(GOFILES)
	CGO_ENABLED=0 GOARCH=arm64 $(GO) build -tags nethttpomithttp2 -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/appliance-agent

kit: $(AGENT) $(AGENTS) ## the boot kit: network boot programs, kernels, initramfs, and the agents for hosts
	$(GO) run ./cmd/bootkit kit -agent $(AGENT) -agent-arm64 $(ARMAGENT) -cache $(B)/cache/kit -notice NOTICE

build: ui/dist/index.html kit ## bin/appliance: one file with console, agent and boot kit
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/appliance ./cmd/appliance

image: $(IMAGE) ## the Debian 12 disk image
$(IMAGE): $(wildcard images/debian/*.go images/debian/apt/*.go)
	$(GO) run ./cmd/bootkit image -out $@ -kernel $(KERNEL) -cache $(B)/cache -install

mirror: $(MIRROR)/Packages
$(MIRROR)/Packages: $(IMAGE)
	$(GO) run ./cmd/bootkit mirror -dir $(MIRROR) -status $(IMAGE).status mariadb-server nginx libnginx-mod-stream
	@touch $@

# The arm64 image, and what the long tests install on it.
ARMIMAGE = $(B)/debian-12-arm64.raw
$(ARMIMAGE): $(wildcard images/debian/*.go images/debian/apt/*.go)
	$(GO) run ./cmd/bootkit image -out $@ -arch arm64 -kernel $(KERNEL) -cache $(B)/cache -install

$(MIRROR)/.arm64: $(MIRROR)/Packages $(ARMIMAGE)
	$(GO) run ./cmd/bootkit mirror -dir $(MIRROR) -status $(ARMIMAGE).status nginx libnginx-mod-stream
	@touch $@

# What the long tests install besides: a hypervisor.
$(MIRROR)/.long: $(MIRROR)/Packages
	$(GO) run ./cmd/bootkit mirror -dir $(MIRROR) -status $(IMAGE).status mariadb-server nginx libnginx-mod-stream \
	libvirt-daemon libvirt-daemon-driver-qemu qemu-system-x86 qemu-utils openssl
	@touch $@

$(B)/bin/rack: $(GOFILES)
	$(GO) build -o $@ ./cmd/rack

e2e: build $(IMAGE) $(MIRROR)/Packages $(B)/bin/rack ## a BIOS and a UEFI machine from power-on to a database; Secure Boot, arm64 to inventory
	RACK_E2E=1 APPLIANCE_BIN=$(CURDIR)/bin/appliance APPLIANCE_IMAGE=$(CURDIR)/$(IMAGE) \
	APPLIANCE_PACKAGES=$(CURDIR)/$(MIRROR) $(GO) test -count=1 -timeout 45m ./rack/

# What does not fit into make test: machines that die under load and are healed,
# applications, replicas, virtual machines and hosts. ONLY=TestE2EReplica runs one.
.PHONY: e2e-long
e2e-long: build $(IMAGE) $(MIRROR)/.long $(ARMIMAGE) $(MIRROR)/.arm64 $(B)/bin/rack ## the long end-to-end tests, hours under emulation (ONLY=TestE2EReplica)
	RACK_E2E=1 RACK_LONG=1 RACK_E2E_LONG=1 APPLIANCE_BIN=$(CURDIR)/bin/appliance APPLIANCE_IMAGE=$(CURDIR)/$(IMAGE) \
	APPLIANCE_IMAGE_ARM64=$(CURDIR)/$(ARMIMAGE) APPLIANCE_PACKAGES=$(CURDIR)/$(MIRROR) $(GO) test -count=1 -timeout 6h -v \
	-run '^($(or $(ONLY),TestE2EHeal|TestE2EApplication|TestE2EReplica|TestE2EOperator|TestE2EThreeDrivers|TestE2EApplicationOnVMs|TestE2EApplicationOnHosts|TestE2ERolling|TestE2EStorage|TestE2EHypervisor|TestE2EHypervisorOnHost|TestSecureBoot|TestARM64|TestSecureARM64|TestHTTPBoot|TestE2EProxy|TestE2EARM64|TestE2EHostARM64|TestE2ESecureBoot))$$' ./rack/
	$(if $(ONLY),,$(MAKE) netboot6)

# --- figures ---------------------------------------------------------------

# Every bench/*.sh, or ONLY=engine. Each prints its figures; see bench/README.md.
bench: ## measure: one line for each figure (ONLY=name of a script in bench/)
	@for s in bench/$(or $(ONLY),*).sh; do echo "# $$s"; $$s || exit 1; done

# At least FAULTS injected faults; it prints the seeds: SEED=n FAULTS=1 repeats one.
FAULTS ?= 10000
SEED   ?= 0
.PHONY: chaos
chaos: ## disturb reference deployments, FAULTS=10000 faults at least (SEED=n repeats)
	$(GO) test -count=1 -tags nokit -timeout 60m -run TestChaos ./orchestrator -v -chaos.faults=$(FAULTS) -chaos.seed=$(SEED) | grep -v '^=== RUN\|^ *--- PASS'

.PHONY: interop
interop: prepare ## real DHCP clients, relay agents and servers, in network namespaces
	$(GO) test -count=1 -v -run TestInterop ./dhcp

.PHONY: netboot6
netboot6: build $(IMAGE) $(MIRROR)/Packages ## a UEFI machine that speaks nothing but IPv6, from DHCPv6 to a service; behind a relay agent; by HTTP and HTTPS Boot; with Secure Boot
	NETBOOT6=outside APPLIANCE_BIN=$(CURDIR)/bin/appliance APPLIANCE_IMAGE=$(CURDIR)/$(IMAGE) \
	APPLIANCE_PACKAGES=$(CURDIR)/$(MIRROR) $(GO) test -count=1 -tags nokit -timeout 60m -run TestNetboot6 -v ./cmd/appliance

# --- care ------------------------------------------------------------------

fuzz: ## every fuzz target in turn, T=20s each
	@for d in $(FUZZ); do for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9]+' $$d/*_test.go | sed 's/func //' | sort -u); do \
		echo "$$d $$f"; $(GO) test -tags nokit -run '^$$' -fuzz "^$$f$$" -fuzztime $(T) $$d || exit 1; done; done

golden: ## write the golden files from what the code does; then review the diff
	UPDATE_GOLDEN=1 $(GO) test ./dhcp -run TestExchanges
	$(MAKE) openapi

openapi: ui/node_modules ## write api/openapi.yaml from the types, and the console's types from it
	$(GO) test ./api -run TestOpenAPI -update
	cd ui && npm run --silent schema && npm run --silent notice

clean: ## remove what was built; downloads are kept in build/cache
	rm -rf bin ui/dist/assets ui/dist/index.html
	find $(B) -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} + 2>/dev/null || true
	find images/kit/data -mindepth 1 ! -name README -delete
