// The real appliance for the tests: the binary itself, on a free port of the
// loopback, with its data in a temporary folder.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import net from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

function binary(dir) {
  if (process.env.APPLIANCE_BIN) return process.env.APPLIANCE_BIN;
  const out = join(dir, "appliance");
  execFileSync("go", ["build", "-tags", "nokit", "-o", out, "./cmd/appliance"], { cwd: root, stdio: "inherit" });
  return out;
}

function freePort() {
  return new Promise((done, fail) => {
    const s = net.createServer();
    s.once("error", fail);
    s.listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => done(port));
    });
  });
}

export class Appliance {
  static async start() {
    const a = new Appliance();
    a.dir = mkdtempSync(join(tmpdir(), "console-"));
    a.bin = binary(a.dir);
    a.port = await freePort();
    a.url = `https://127.0.0.1:${a.port}`;
    a.config = join(a.dir, "appliance.yaml");
    writeFileSync(a.config, `data: ${a.dir}/data\nnetboot: false\nlisten:\n  https: "127.0.0.1:${a.port}"\n`);
    await a.run();
    a.token = readFileSync(join(a.dir, "data/admin.token"), "utf8").trim();
    return a;
  }

  /** run starts the process and returns once it answers. */
  async run() {
    this.log = "";
    this.process = spawn(this.bin, ["serve", "--config", this.config], { stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise((_, fail) => this.process.once("exit", (code) => fail(new Error(`appliance ended with ${code}:\n${this.log}`))));
    ended.catch(() => undefined);
    for (const s of [this.process.stdout, this.process.stderr]) s.on("data", (b) => (this.log += b));
    await Promise.race([ended, this.healthy()]);
  }

  async healthy() {
    for (;;) {
      const ok = await request(this, "GET", "/healthz").then((r) => r.status === 200, () => false);
      if (ok) return;
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  /** halt ends the process and returns once it is gone. */
  async halt() {
    if (this.process.exitCode !== null) return;
    const gone = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGKILL");
    await gone;
  }

  async stop() {
    await this.halt();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** api calls the REST API as the admin does. */
  async api(method, path, body) {
    const r = await request(this, method, "/api/v1" + path, body, { headers: { authorization: `Bearer ${this.token}` } });
    if (r.status >= 300) throw new Error(`${method} ${path}: ${r.status} ${r.text}`);
    return r.text ? JSON.parse(r.text) : undefined;
  }
}

/** request makes one HTTPS request; a Buffer is sent as it is, all else as JSON. */
export function request(appliance, method, path, body, { headers = {}, ...tls } = {}) {
  const raw = Buffer.isBuffer(body);
  const data = body === undefined ? undefined : raw ? body : Buffer.from(JSON.stringify(body));
  return new Promise((done, fail) => {
    const r = https.request(
      appliance.url + path,
      {
        method, rejectUnauthorized: false, agent: false, ...tls,
        headers: { ...(data ? { "content-type": raw ? "application/octet-stream" : "application/json", "content-length": data.length } : {}), ...headers },
      },
      (answer) => {
        const parts = [];
        answer.on("data", (b) => parts.push(b));
        answer.on("error", fail);
        answer.on("end", () => done({ status: answer.statusCode, text: Buffer.concat(parts).toString() }));
      },
    );
    r.on("error", fail);
    r.end(data);
  });
}
