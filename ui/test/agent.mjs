// A simulated machine: it speaks the agent's protocol as the agent in RAM does.
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { request } from "./appliance.mjs";

// DER (X.690) of what a certificate request needs (RFC 2986, section 4).
const der = (tag, ...parts) => {
  const body = Buffer.concat(parts);
  const n = body.length;
  const size = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
};
const ecdsaSHA256 = der(0x30, Buffer.from("06082a8648ce3d040302", "hex"));

function certificateRequest(keys) {
  const info = der(0x30, der(2, Buffer.from([0])), der(0x30), keys.publicKey.export({ type: "spki", format: "der" }), der(0xa0));
  const signature = sign("sha256", info, keys.privateKey);
  const csr = der(0x30, info, ecdsaSHA256, der(3, Buffer.from([0]), signature));
  return `-----BEGIN CERTIFICATE REQUEST-----\n${csr.toString("base64").match(/.{1,64}/g).join("\n")}\n-----END CERTIFICATE REQUEST-----\n`;
}

export class Agent {
  constructor(appliance, number, { content = [] } = {}) {
    this.appliance = appliance;
    this.mac = `52:54:00:00:00:${number.toString(16).padStart(2, "0")}`;
    this.bootId = randomUUID();
    this.keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.csr = certificateRequest(this.keys);
    this.facts = {
      at: new Date().toISOString(), manufacturer: "QEMU", product: "Standard PC", serial: `SN${number}`, arch: "amd64", firmware: "bios",
      cpu: { model: "Simulated", sockets: 1, cores: 4, threads: 8 }, memory: 8 * 2 ** 30,
      disks: [{ name: "sda", serial: `WD-${number}`, model: "Disk", size: 64e9, type: "ssd", content }],
      nics: [{ name: "eth0", mac: this.mac, driver: "virtio_net", speed: 10000, link: true }],
    };
  }

  /** hello says who it is and what it has; it remembers its certificate. */
  async hello() {
    const r = await request(this.appliance, "POST", "/agent/v1/hello", {
      protocol: "1.0", version: "test", mode: "ram", mac: this.mac, bootId: this.bootId, csr: this.csr, facts: this.facts,
    });
    if (r.status !== 200) throw new Error(`hello: ${r.status} ${r.text}`);
    const w = JSON.parse(r.text);
    if (w.certificate) this.certificate = w.certificate;
    this.machine = w.machine;
    this.name = w.name;
    return w;
  }

  send(method, path, body) {
    return request(this.appliance, method, path, body, {
      cert: this.certificate, key: this.keys.privateKey.export({ type: "pkcs8", format: "pem" }),
    });
  }

  /** task waits for the next task; undefined when there is none. */
  async task(seconds = 5) {
    const r = await this.send("GET", `/agent/v1/task?wait=${seconds}&boot=${this.bootId}&mode=ram`);
    if (r.status === 204) return undefined;
    if (r.status !== 200) throw new Error(`task: ${r.status} ${r.text}`);
    return JSON.parse(r.text);
  }

  progress(task, progress) {
    return this.send("POST", "/agent/v1/task/progress", { key: task.key, token: task.token, bootId: this.bootId, progress: { at: new Date().toISOString(), ...progress } });
  }

  output(task, first, lines) {
    return this.send("POST", "/agent/v1/task/output", { key: task.key, token: task.token, first, lines });
  }

  done(task, result) {
    return this.send("POST", "/agent/v1/task/result", { key: task.key, token: task.token, bootId: this.bootId, state: "done", result });
  }

  /** work does tasks as a machine without a BMC would, up to the first that stop() names. */
  async work(stop) {
    for (;;) {
      const t = await this.task();
      if (!t) continue;
      if (stop(t)) return t;
      await this.done(t, this.result(t));
    }
  }

  result(t) {
    switch (t.kind) {
      case "facts":
        return this.facts;
      case "bmc-user":
        return { none: true };
      case "wipe":
        for (const d of this.facts.disks) d.content = [];
        return { wiped: t.params.serials.map((serial) => ({ serial, method: "zero", size: 64e9 })), facts: this.facts };
    }
    throw new Error(`the simulated agent cannot do ${t.kind}`);
  }
}
