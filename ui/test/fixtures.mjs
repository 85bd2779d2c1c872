// A rack in the middle of its life, in the API's own types: what cannot be
// reached in a test without hardware (running services, failures, BMCs).
/** now is the time of which the fixtures tell. */
export const now = Date.now();
const at = (secondsAgo) => new Date(now - secondsAgo * 1000).toISOString();
const since = (value, secondsAgo = 3600, reason = "") => ({ value, since: at(secondsAgo), ...(reason ? { reason } : {}) });
const GB = 1e9;
const GiB = 2 ** 30;

function machine(n, over = {}) {
  const hex = n.toString(16).padStart(2, "0");
  const id = `m-${hex}7q2kx9`;
  const mac = `3c:ec:ef:12:40:${hex}`;
  const big = n % 4 === 0;
  const facts = {
    at: at(7000), manufacturer: "Supermicro", product: big ? "SYS-620P" : "SYS-510T", serial: `S4531${7000 + n}`, arch: "amd64", firmware: n % 5 ? "uefi" : "bios",
    firmwareName: "American Megatrends 1.4", tpm: "2.0", cpu: { model: big ? "Intel Xeon Gold 6326" : "Intel Xeon E-2388G", sockets: big ? 2 : 1, cores: big ? 32 : 8, threads: big ? 64 : 16 },
    memory: (big ? 256 : 64) * GiB, kernel: "6.1.0-28-amd64",
    disks: [
      { name: "nvme0n1", serial: `S64GNX0T${1200 + n}`, model: "Samsung PM9A3", size: 960 * GB, type: "nvme", content: ["gpt: 3 partitions", "ext4 root"] },
      { name: "nvme1n1", serial: `S64GNX0T${2200 + n}`, model: "Samsung PM9A3", size: 960 * GB, type: "nvme" },
    ],
    nics: [
      { name: "eno1", mac, driver: "ixgbe", speed: 10000, link: true, addresses: [`10.77.0.${20 + n}/24`], switch: "tor-1", port: `Ethernet${n}` },
      { name: "eno2", mac: `3c:ec:ef:12:41:${hex}`, driver: "ixgbe", link: false },
    ],
    bmc: { address: `10.77.1.${20 + n}`, channel: 1, version: "2.0" },
  };
  return {
    id, name: `rack1-u${String(n).padStart(2, "0")}`, phase: "ready", macs: [mac], firmware: facts.firmware, arch: "amd64", facts,
    bmc: { address: `10.77.1.${20 + n}`, protocol: "ipmi", user: "appliance", userId: 4, guid: `a1b2c3d4-0000-1000-8000-3cecef1240${hex}` },
    conditions: { power: since("on"), bmc: since("ok"), agent: since("standby") },
    epoch: 3, address: `10.77.0.${20 + n}`, acceptedBy: "rule rack", createdAt: at(86_400 * 3), updatedAt: at(300), rev: 7,
    sentence: "Ready: in the pool, its agent stands by in memory.", live: { agent: "ram", version: "0.1.0", bootId: "b" },
    allowed: ["inspect", "test", "configure", "rescue", "power", "retire"], bmcState: "ok", tags: ["rack1"],
    ...(over.phase === "active" ? { unwiped: [facts.disks[0].serial] } : {}),
    ...over,
  };
}

const operation = (m, kind, over = {}) => ({
  id: `op-${m}`, machine: m, kind, status: "running", by: "rule rack", params: {}, deadline: at(-900), queuedAt: at(95), startedAt: at(94), rev: 3, ...over,
});
const busy = { allowed: [] };
const active = (service, extra = {}) => ({
  phase: "active", service, instance: `in-${service}`, image: "debian-12", sentence: `Runs debian-12 for service ${service}.`,
  conditions: { power: since("on", 90_000), bmc: since("ok", 90_000), agent: since("installed", 86_000) }, live: { agent: "installed", version: "0.1.0" },
  allowed: ["update", "rescue", "deploy", "release", "power", "fence"], ...extra,
});

const lostCause = {
  code: "bmc.unreachable", message: "its BMC at 10.77.1.29 does not answer: step power-off of rack1-u09 was given up.",
  evidence: "get channel authentication capabilities: no answer from 10.77.1.29:623 after 4 tries in 20 s", remedy: "Check the BMC's cable, address and VLAN, then retry.",
  tried: ["power-off was tried 3 times"], step: "power-off", at: at(240),
};
const writing = { done: 1.35 * GiB, total: 2 * GiB, unit: "bytes", detail: "to disk S64GNX0T1206 (nvme0n1)", at: at(1) };

const step = (owner, seq, name, status, from, to, over = {}) => ({
  key: `${owner}/${name}/1`, owner, machine: "", seq, name, executor: "agent", mode: "ram", idempotent: true, status, attempt: 1, tries: 3, epoch: 3, timeout: 600e9,
  ...(from === undefined ? {} : { startedAt: at(from) }), ...(to === undefined ? {} : { endedAt: at(to) }), rev: 1, ...over,
});

export const machines = [
  machine(1, active("orders")), machine(2, active("orders")), machine(3, active("sessions")), machine(4, active("warehouse")),
  machine(5, {}),
  machine(6, {
    ...busy, unwiped: ["S64GNX0T1206"], phase: "reserved", service: "reports", instance: "in-reports",
    conditions: { power: since("on"), bmc: since("ok"), agent: since("busy", 70) },
    sentence: "Writing debian-12 to disk S64GNX0T1206 (nvme0n1), 67 %, 11 s left.", live: { agent: "ram", version: "0.1.0", bootId: "b", progress: writing },
    operation: operation("m-067q2kx9", "deploy", { by: "service reports", step: "image", params: { image: "debian-12" } }),
  }),
  machine(7, { ...busy, phase: "enrolled", conditions: { power: since("on"), bmc: since("ok"), agent: since("booting", 40) }, live: {},
    sentence: "Booting for 42 s; waiting for its agent.", operation: operation("m-077q2kx9", "inspect", { step: "standby", waiting: "boot", status: "waiting", by: "admin" }) }),
  machine(8, { conditions: { power: since("off"), bmc: since("ok") }, live: {}, sentence: "Ready: in the pool." }),
  machine(9, {
    phase: "enrolled", conditions: { power: since("unknown", 240), bmc: since("unreachable", 240), broken: since("true", 240, "power-off failed"), dirty: since("true", 900) }, live: {},
    sentence: "Wipe failed: its BMC at 10.77.1.29 does not answer: step power-off of rack1-u09 was given up. Check the BMC's cable, address and VLAN, then retry.",
    operation: operation("m-097q2kx9", "wipe", { status: "failed", step: "power-off", cause: lostCause, endedAt: at(240), startedAt: at(420) }),
    allowed: ["inspect", "test", "configure", "wipe", "rescue", "power", "retire"],
  }),
  machine(10, {}),
  machine(11, {
    phase: "enrolled", conditions: { power: since("on"), bmc: since("ok"), agent: since("standby"), protected: since("true", 4000, "its disks held something at acceptance") },
    sentence: "Protected: its disks held something at acceptance; release it to allow that its disks are erased.", unwiped: ["S64GNX0T1211", "S64GNX0T2211"],
    allowed: ["inspect", "test", "configure", "wipe", "rescue", "power", "retire"],
  }),
  machine(12, {
    phase: "discovered", acceptedBy: undefined, tags: undefined, conditions: { power: since("on", 60), agent: since("standby", 60) }, name: "node-12404c",
    sentence: "Waiting to be accepted; until then nothing is written to it.", unwiped: ["S64GNX0T1212", "S64GNX0T2212"], allowed: ["enrol", "adopt", "retire"],
  }),
];

const events = machines[5];
const boots = [
  ["bmc.power", 88, { detail: "cycle, next boot from the network" }], ["dhcp.discover", 61, { detail: "UEFI x86-64, PXE" }], ["dhcp.ack", 60.2, { address: "10.77.0.26" }],
  ["tftp.nbp", 59.4, { detail: "ipxe.efi", bytes: 1_089_536, took: 710e6 }], ["ipxe.dhcp", 57.1, { address: "10.77.0.26" }], ["http.script", 57, { bytes: 412, took: 2e6 }],
  ["http.kernel", 56.4, { detail: "linux 6.1.0-28", bytes: 8_290_304, took: 520e6 }], ["http.initrd", 55.3, { detail: "agent 0.1.0", bytes: 31_457_280, took: 990e6 }],
  ["agent.dhcp", 49.5, { address: "10.77.0.26" }], ["agent.hello", 49.1, { detail: "agent 0.1.0" }], ["agent.facts", 48.6, { detail: "inventory" }],
].map(([stage, ago, over], i) => ({ seq: i + 1, at: at(ago), mac: events.macs[0], machine: events.id, stage, ...over }));

const deploySteps = [
  step("op", 1, "boot-device", "done", 94, 93, { executor: "appliance" }), step("op", 2, "power-off", "done", 93, 90, { executor: "appliance" }),
  step("op", 3, "power-on", "done", 90, 88, { executor: "appliance" }), step("op", 4, "standby", "done", 88, 48),
  step("op", 5, "image", "running", 26, undefined, { deadline: at(-570) }),
  step("op", 6, "boot-disk", "pending", undefined, undefined, { executor: "appliance" }), step("op", 7, "reboot", "pending"), step("op", 8, "system", "pending"),
];
const failedSteps = [step("op", 1, "power-off", "failed", 420, 240, { executor: "appliance", attempt: 3, cause: lostCause }), step("op", 2, "power-on", "pending"), step("op", 3, "wipe", "pending")];

const recipe = {
  name: "mysql", digest: "sha256:9f2c", description: "MySQL-compatible database (Debian's MariaDB)", type: "DATABASE", template: "SMALL_LINUX", instances: 1, min: 1, max: 3,
  elastic: true, stateful: true, events: ["install", "start", "startDetection", "postStart", "stop"], startTimeout: 300e9, packages: ["mariadb-server"], port: 3306, shipped: true,
  retries: 0, commands: ["createDatabase", "drain"], hasMonitors: true, hasDetails: true,
  metricGroups: [{ name: "Load", metrics: [{ name: "Connections", unit: "REGULAR" }, { name: "Buffer pool", unit: "MEMORY" }] }],
};
const instance = (service, n, m, over = {}) => ({
  id: `in-${service}-${n}`, service, number: n, phase: "running", createdAt: at(7200), updatedAt: at(7000), runningAt: at(7000), rev: 4, steps: [],
  ...(m ? { machine: m.id, machineName: m.name, endpoint: `${m.address}:3306` } : {}), ...over,
});
const lifecycle = (owner) =>
  ["acquire", "prepare", "init", "install", "start", "startDetection", "postStart"].map((name, i) =>
    step(owner, i + 1, name, "done", 7200 - i * 20, 7190 - i * 20, { executor: name === "acquire" ? "appliance" : "agent", mode: "installed", output: name === "install" ? "Setting up mariadb-server (1:10.11.6-0+deb12u1) ...\n" : "" }),
  );
const service = (name, phase, sentence, list, over = {}) => ({
  name, recipe, template: "SMALL_LINUX", image: "debian-12", instances: list.length, phase, by: "admin", createdAt: at(7300), updatedAt: at(7000), rev: 5, sentence,
  endpoints: list.filter((i) => i.phase === "running").map((i) => i.endpoint), instanceList: list, ...over,
});

export const orders = service("orders", "running", "Running: 2 instances.", [instance("orders", 1, machines[0]), instance("orders", 2, machines[1])].map((i) => ({ ...i, steps: lifecycle(i.id) })), {
  revision: 2,
  attributes: [
    { scope: "service:orders", name: "database", value: '"orders"', at: at(7000) }, { scope: "service:orders", name: "endpoint", value: '"10.77.0.21:3306"', at: at(7000) },
    { scope: "service:orders", name: "password", value: "", secret: true, at: at(7000) }, { scope: "service:orders", name: "user", value: '"app"', at: at(7000) },
  ],
});
const reports = service("reports", "deploying", "Being deployed: 0 of 1 instance running. Instance 1 is acquiring on rack1-u06: acquire.", [
  instance("reports", 1, machines[5], { phase: "acquiring", step: "acquire", endpoint: undefined, runningAt: undefined, steps: [step("in-reports-1", 1, "acquire", "running", 95, undefined, { executor: "appliance" })] }),
]);

const told = [
  ["machine.inventoried", "info", "node-12404c told what it is: 32 cores, 256.0 GiB of memory, 2 disks.", { machine: machines[11].id }, 60],
  ["operation.failed", "error", "Wipe of rack1-u09 failed.", { machine: machines[8].id, cause: lostCause }, 240],
  // Enough of them that the machine's page scrolls its list.
  ...Array.from({ length: 40 }, (_, i) => ["step.retry", "info", `rack1-u09: power-off is tried again, ${40 - i}.`, { machine: machines[8].id }, 245 + i]),
  ["service.deploying", "info", "admin asked for service reports (instances: 1).", { service: "reports", by: "admin" }, 96],
  ["operation.started", "info", "Deployment of rack1-u06 started.", { machine: machines[5].id, by: "service reports" }, 94],
  ["service.running", "info", "Service orders runs.", { service: "orders" }, 7000],
  ["attribute.revealed", "warning", "Secret attribute password of service orders was shown.", { service: "orders", by: "admin" }, 600],
]
  .sort((a, b) => b[4] - a[4])
  .map(([type, severity, message, over, ago], i) => ({ seq: i + 1, at: at(ago), type, severity, message, ...over }));

const overview = {
  machines: { discovered: 1, enrolled: 3, ready: 3, reserved: 1, active: 4, retired: 0 }, free: { SMALL_LINUX: 3, MEDIUM_LINUX: 3, LARGE_LINUX: 1 }, services: 4,
  attention: [
    { machine: machines[8].id, name: "rack1-u09", cause: lostCause, action: "retry" },
    { machine: machines[10].id, name: "rack1-u11", action: "release", cause: { code: "machine.protected", message: "The disks of rack1-u11 hold data that nobody allowed to erase.", evidence: "its disks held something at acceptance", remedy: "Look at its disks; release it to allow that they are erased.", at: at(4000) } },
    { machine: machines[11].id, name: "node-12404c", action: "accept", cause: { code: "machine.discovered", message: "Machine node-12404c waits to be let in.", remedy: "Accept it, or leave it: until then it boots its own disk.", at: at(60) } },
  ],
  version: "0.1.0", subnets: [{ name: "rack", prefix: "10.77.0.0/24", first: "10.77.0.20", last: "10.77.0.200", lease: 3600e9, discover: true }], interface: "eth1",
};

const minutes = (values) => values.map((value, i) => ({ at: at((values.length - i) * 60), value }));
const wanted = { kind: "average" };
const rule = { metric: "Connections", window: 300e9, time: wanted, instances: wanted, high: { value: 400, by: 1 } };
const decision = (seq, from, to, why, over = {}) => ({ seq, at: at(900 - seq), service: "orders", action: to > from ? "out" : "none", from, to, by: "rule Connections", why, ...over });
const number = { rule, known: true, value: 211.5, verdict: "between its thresholds", instances: [] };

/** operated is what the service orders says of its work: the answers below its path. */
const operated = {
  "/services/orders/scaling": {
    service: "orders", instances: 2, min: 1, max: 3, elastic: true, rules: { sampling: 60e9, rules: [rule] }, now: decision(0, 2, 2, "nothing to do", { numbers: [number] }),
    decisions: [decision(1, 1, 2, "Connections was above 400", { numbers: [{ ...number, value: 512, verdict: "above 400" }] })],
  },
  "/services/orders/revisions": [
    { service: "orders", number: 1, recipe: { ...recipe, digest: "sha256:77aa01" }, template: "SMALL_LINUX", image: "debian-12", by: "admin", at: at(90_000) },
    { service: "orders", number: 2, recipe, template: "SMALL_LINUX", image: "debian-12", by: "admin", at: at(7000) },
  ],
  "/services/orders/readings": [
    { instance: "in-orders-1", number: 1, at: at(4), monitors: { Connections: 212, "Buffer pool": 128 * 2 ** 20, Slow: 3 }, details: { Version: "10.11.6" } },
    { instance: "in-orders-2", number: 2, at: at(4), monitors: { Connections: 211, "Buffer pool": 131 * 2 ** 20, Slow: 0 }, trouble: "details: no answer for 5 s" },
  ],
  "/services/orders/samples": { "in-orders-1": { Connections: minutes([120, 180, 340, 260, 212]) }, "in-orders-2": { Connections: minutes([110, 190, 330, 255, 211]) } },
  "POST /services/orders/commands/createDatabase": {
    id: "c1", service: "orders", command: "createDatabase", done: true,
    results: [{ instance: "in-orders-1", number: 1, machine: machines[0].id, status: "done", value: "created", output: "CREATE DATABASE" }],
  },
};

const shop = [
  service("shop.db", "running", "Running: 1 instance.", [instance("shop.db", 1, machines[2])], { application: "shop" }),
  service("shop.web", "deploying", "Being deployed: 0 of 1 instance running.", [], { application: "shop", dependsOn: ["shop.db"] }),
];
const application = {
  name: "shop", phase: "deploying", by: "admin", createdAt: at(400), updatedAt: at(10), rev: 2, services: ["shop.db", "shop.web"], members: shop,
  sentence: "Being deployed: 1 of 2 services runs; shop.web starts once shop.db runs.", recipe: { ...recipe, name: "shop", members: ["sha256:1", "sha256:2"] },
};

const plan = {
  at: at(0), digest: "sha256:plan", expected: 190e9, unmeasured: 1, problems: [],
  services: [{
    service: "mysql", action: "deploy", recipe: "mysql", digest: recipe.digest, image: "debian-12", template: "SMALL_LINUX", expected: 190e9,
    instances: [{ number: 1, machine: machines[4].id, name: machines[4].name, why: "the smallest that is large enough", expected: 190e9, steps: [{ name: "image", expected: 34e9, samples: 3 }, { name: "install", expected: 119e9, samples: 3 }, { name: "postStart" }] }],
    others: [{ machine: machines[10].id, name: machines[10].name, why: ["its disks are protected"] }],
  }],
};

const lease = (n, state, over = {}) => ({ address: `10.77.0.${20 + n}`, mac: machines[n - 1].macs[0], machine: machines[n - 1].id, hostname: machines[n - 1].name, subnet: "rack", state, start: at(600), expires: at(state === "expired" ? 60 : -3000), ...over });
const network = {
  "/subnets": [{ name: "rack", prefix: "10.77.0.0/24", first: "10.77.0.20", last: "10.77.0.200", lease: 3600e9, discover: true, mode: "auto", now: "server", live: 12, relays: ["10.77.0.2"] }],
  "/leases": [lease(1, "active", { relay: "10.77.0.2", circuit: "Ethernet1" }), lease(2, "expired"), lease(3, "declined")],
  "/reservations": [{ mac: "3c:ec:ef:12:40:01", address: "10.77.0.21", hostname: "rack1-u01" }],
};

const line = (seq, over, text) => ({ seq, at: at(7100 - seq), line: text, ...over });
export const secret = "correct-horse";

/** answers maps paths below /api/v1 to what is answered. */
export function answers() {
  const out = {
    ...operated, ...network, "/applications": [application], "/healing": { stopped: false }, "POST /plans": plan,
    "/session": { name: "admin", role: "admin" }, "/version": { version: "0.1.0", protocol: "1.0", started: at(90_000), kit: "6.1.0", schema: 1 }, "/overview": overview, "/machines": machines, "/services": [orders, reports], "/services/orders": orders, "/services/reports": reports,
    "/services/orders/logs": [line(1, { service: "orders", instance: "in-orders-1", step: "install" }, "Unpacking mariadb-server (1:10.11.6-0+deb12u1) ..."), line(2, { service: "orders", instance: "in-orders-1", step: "install" }, "Setting up mariadb-server (1:10.11.6-0+deb12u1) ...")],
    "/services/reports/logs": [], "/services/orders/attributes/password": { scope: "service:orders", name: "password", value: secret, secret: true },
    "/events": told, "/recipes": [recipe],
    "/templates": [{ name: "SMALL_LINUX", cores: 1, memory: 512 * 2 ** 20, disk: 2 * GiB }, { name: "LARGE_LINUX", cores: 16, memory: 64 * GiB, disk: 200 * GiB }],
    "/images": [{ name: "debian-12", size: 2 * GiB, arch: "amd64", digest: "sha256:1", stored: 350e6, createdAt: at(90_000) }],
  };
  for (const m of machines) {
    const steps = m === machines[5] ? deploySteps : m === machines[8] ? failedSteps : undefined;
    out[`/machines/${m.id}`] = steps ? { ...m, steps } : m;
    out[`/machines/${m.id}/boot`] = { machine: m.id, boots: m === events ? [{ start: boots[0].at, end: boots.at(-1).at, events: boots }] : [] };
    out[`/machines/${m.id}/console`] = m === events ? [line(1, { machine: m.id, step: "console" }, "[    0.000000] Linux version 6.1.0-28-amd64"), line(2, { machine: m.id, step: "console" }, "agent: writing debian-12 to nvme0n1")] : [];
  }
  return out;
}

/** rack makes n machines for the test of many rows. */
export const rack = (n) => Array.from({ length: n }, (_, i) => ({ ...machine(i % 200), id: `m-${i}`, name: `node-${String(i).padStart(5, "0")}` }));
