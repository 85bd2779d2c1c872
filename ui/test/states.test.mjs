// The console over states that need hardware: the API's answers are fixtures,
// cookie and event stream are the real appliance's.
import assert from "node:assert/strict";
import { mkdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { Appliance } from "./appliance.mjs";
import { axe, enter, expected, launch, open } from "./browser.mjs";
import { answers, machines, now, rack, secret } from "./fixtures.mjs";

const picture = resolve(import.meta.dirname, "../../docs/console.png");
const shots = process.env.SHOTS; // a folder for pictures of every page

describe("console, states", { concurrency: false }, () => {
  let appliance;
  let browser;
  let session; // of the admin, logged in once
  before(async () => {
    appliance = await Appliance.start();
    browser = await launch();
    const first = await open(browser, appliance.url);
    await enter(first.page, appliance);
    session = await first.page.context().storageState();
    await first.close();
    if (shots) mkdirSync(shots, { recursive: true });
  });
  after(async () => {
    await browser?.close();
    await appliance?.stop();
  });

  // visit opens a page whose answers are fixtures; posts are kept.
  async function visit(view, change = {}) {
    const tab = await open(browser, appliance.url, { ...view, session });
    const told = { ...answers(), ...change };
    tab.posts = [];
    await tab.page.route("**/api/v1/**", (route) => {
      const path = new URL(route.request().url()).pathname.slice("/api/v1".length);
      if (path === "/stream") return route.continue();
      if (route.request().method() !== "GET") {
        tab.posts.push(`${route.request().method()} ${path} ${route.request().postData() ?? ""}`);
        return route.fulfill({ status: 202, json: told[`${route.request().method()} ${decodeURIComponent(path)}`] ?? {} });
      }
      const json = told[decodeURIComponent(path)];
      const about = new URL(route.request().url()).searchParams;
      if (path === "/events") return route.fulfill({ json: json.filter((e) => ["machine", "service", "severity"].every((k) => !about.get(k) || about.get(k) === e[k])) });
      return json === undefined ? route.fulfill({ status: 404, json: { title: "Not Found", status: 404, detail: `not found: ${path}` } }) : route.fulfill({ json });
    });
    // sends does what sends something, and waits for the answer to it.
    tab.sends = async (deed) => {
      const answer = tab.page.waitForResponse((r) => r.request().method() !== "GET");
      await deed();
      await answer;
    };
    tab.go = async (path, ready) => {
      await tab.page.goto(appliance.url + path);
      await tab.page.getByText(ready).first().waitFor();
    };
    return tab;
  }

  const busy = `/machines/${machines[5].id}`;
  const failed = `/machines/${machines[8].id}`;
  const kept = `/machines/${machines[10].id}`;
  const fresh = `/machines/${machines[11].id}`;
  const pages = [
    ["overview", "/", "Needs a person"], ["machines", "/machines", "rack1-u06"], ["machine", busy, "Writing debian-12"], ["failed", failed, "Wipe failed"],
    ["accept", fresh + "?do=accept", "This disk holds"], ["release", kept + "?do=release", "The protection of its disks"], ["services", "/services", "Running: 2 instances."],
    ["service", "/services/orders", "Answers at"], ["remove", "/services/orders?do=remove", "are stopped"], ["catalogue", "/catalogue", "MySQL-compatible"],
    ["deploy", "/deploy?recipe=mysql", "machines of this size are free"], ["events", "/events", "told what it is"],
    ["applications", "/applications", "1 of 2 services running"], ["application", "/applications/shop", "in the order in which they start"], ["network", "/network", "Ethernet1"], ["help", "/help", "How a machine comes in"],
  ];
  for (const dark of [false, true]) {
    for (const width of [1280, 400]) {
      it(`axe finds nothing: ${dark ? "dark" : "light"}, ${width} pixels`, async () => {
        const tab = await visit({ width, height: 860, dark });
        const found = {};
        for (const [name, path, ready] of pages) {
          await tab.go(path, ready);
          const bad = await axe(tab.page);
          const wide = await tab.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          if (wide > 0) bad.push(`wider than the window by ${wide} pixels`);
          const blank = await tab.page.evaluate(() => document.documentElement.scrollHeight - window.scrollY - document.querySelector("footer").getBoundingClientRect().bottom);
          if (blank > 20) bad.push(`${blank} blank pixels below the footer`);
          if (bad.length > 0) found[name] = bad;
          if (shots) await tab.page.screenshot({ path: join(shots, `${name}-${dark ? "dark" : "light"}-${width}.png`), fullPage: true });
        }
        assert.deepEqual(found, {});
        assert.deepEqual(expected(tab.trouble, /status of 401/), []);
        await tab.close();
      });
    }
  }

  it("shows what needs a person, with its remedy as a button", async () => {
    const tab = await visit({});
    await tab.go("/", "Needs a person");
    await tab.sends(() => tab.page.getByRole("button", { name: "Retry rack1-u09" }).click());
    assert.deepEqual(tab.posts, [`POST ${failed}/retry `]);
    await tab.page.getByText("Evidence").first().click();
    await tab.page.getByText("no answer from 10.77.1.29:623").waitFor();
    await tab.page.getByRole("link", { name: "Release rack1-u11" }).click();
    await tab.page.getByRole("dialog").getByText("S64GNX0T1211").waitFor();
    await tab.close();
  });

  it("warns of another DHCP server", async () => {
    const tab = await visit({}, { "/overview": { ...answers()["/overview"], foreignDhcp: "10.77.0.9" } });
    await tab.go("/", "Another DHCP server answers on this network: 10.77.0.9.");
    await tab.close();
  });

  it("says that healing is stopped, and lets it go on", async () => {
    const tab = await visit({}, { "/healing": { stopped: true, why: "5 of 12 machines went silent within a minute", by: "storm guard", machines: ["rack1-u01", "rack1-u02"] } });
    await tab.go("/", "Healing is stopped: 5 of 12 machines went silent within a minute");
    await tab.sends(() => tab.page.getByRole("button", { name: "Resume healing" }).click());
    assert.deepEqual(tab.posts, ["POST /healing/resume "]);
    await tab.close();
  });

  it("shows a boot as a list with durations, and the steps", async () => {
    const tab = await visit({});
    await tab.go(busy, "Boot timeline");
    const boot = tab.page.locator("table.boot tbody tr");
    await boot.nth(10).waitFor();
    assert.equal(await boot.count(), 11);
    assert.match(await boot.nth(1).innerText(), /27\.0 s|27 s/); // power-on to DISCOVER
    assert.match(await boot.nth(6).innerText(), /Kernel loaded.*7\.9 MiB in 0\.5 s/s);
    assert.equal(await tab.page.locator("ol.steps > li").count(), 8);
    await tab.close();
  });

  it("releases only what was typed", async () => {
    const tab = await visit({});
    await tab.go(kept + "?do=release", "The protection of its disks");
    const go = tab.page.getByRole("button", { name: "Release and erase" });
    assert.equal(await go.isDisabled(), true);
    await tab.page.getByLabel(/to confirm/).fill("rack1-u1");
    await tab.page.keyboard.press("Enter");
    assert.equal(await go.isDisabled(), true);
    await tab.page.getByLabel(/to confirm/).fill("rack1-u11");
    await go.click();
    await tab.page.getByRole("dialog").waitFor({ state: "detached" });
    assert.deepEqual(tab.posts, [`POST ${kept}/release {"wipe":true,"serials":["S64GNX0T1211","S64GNX0T2211"],"confirm":"rack1-u11"}`]);
    await tab.close();
  });

  it("asks before it switches, and wants the name where a service runs", async () => {
    const tab = await visit({});
    await tab.go(`/machines/${machines[0].id}`, "Runs debian-12");
    await tab.page.getByRole("button", { name: "Power off …" }).click();
    await tab.page.getByRole("dialog").getByText("orders").waitFor();
    const off = tab.page.getByRole("button", { name: "Power off", exact: true });
    assert.equal(await off.isDisabled(), true);
    await tab.page.keyboard.press("Escape");
    await tab.page.getByRole("dialog").waitFor({ state: "detached" });
    await tab.page.getByRole("button", { name: "Shut down …" }).click();
    await tab.page.getByRole("button", { name: "Shut down", exact: true }).click();
    await tab.page.getByText("Its system is asked to shut down.").last().waitFor();
    assert.deepEqual(tab.posts, [`POST /machines/${machines[0].id}/power {"action":"soft"}`]);
    await tab.close();
  });

  it("reveals a secret only when asked, and hides it again", async () => {
    const tab = await visit({});
    await tab.go("/services/orders", "Attributes");
    assert.equal(await tab.page.getByText(secret).count(), 0);
    await tab.page.getByRole("button", { name: "Reveal password" }).click();
    await tab.page.getByText(secret).waitFor();
    await tab.page.getByRole("button", { name: "Hide" }).click();
    assert.equal(await tab.page.getByText(secret).count(), 0);
    await tab.close();
  });

  it("draws monitors as the recipe groups them, in their units", async () => {
    const tab = await visit({});
    await tab.go("/services/orders", "Monitors");
    await tab.page.getByRole("heading", { name: "Load" }).waitFor();
    await tab.page.getByRole("cell", { name: "128 MiB" }).waitFor();
    await tab.page.getByRole("img", { name: "Connections, instance 1: between 120 and 340" }).waitFor();
    await tab.page.getByRole("rowheader", { name: "Slow" }).waitFor(); // in no group
    await tab.page.getByText("no answer for 5 s").waitFor();
    await tab.close();
  });

  it("scales, runs commands, goes back to a revision, begins maintenance", async () => {
    const tab = await visit({});
    await tab.go("/services/orders", "Instances wanted");
    await tab.page.getByLabel("How many, 1 to 3").fill("3");
    await tab.sends(() => tab.page.getByRole("button", { name: "Scale" }).click());
    const command = tab.page.getByRole("form", { name: "Command createDatabase" });
    await command.getByLabel("Arguments").fill('shop "two words"');
    await command.getByLabel("On").selectOption("1");
    await command.getByRole("button", { name: "Run" }).click();
    await command.getByText("CREATE DATABASE").waitFor();
    await tab.sends(() => tab.page.getByRole("button", { name: "Go to revision 1" }).click());
    await tab.sends(() => tab.page.getByRole("button", { name: "Begin maintenance" }).click());
    assert.deepEqual(tab.posts, [
      'POST /services/orders/scale {"instances":3}', 'POST /services/orders/commands/createDatabase {"args":["shop","two words"],"instance":1}',
      'POST /services/orders/update {"toRevision":1}', 'POST /services/orders/maintenance {"seconds":3600}',
    ]);
    await tab.close();
  });

  it("says who waits for a person, and wants the name typed", async () => {
    const orders = answers()["/services/orders"];
    const lost = { ...orders, instanceList: orders.instanceList.map((i, n) => (n ? i : { ...i, phase: "failed", heal: { stage: "waiting", since: i.updatedAt, at: i.updatedAt, machine: i.machine } })) };
    const tab = await visit({}, { "/services/orders": lost });
    await tab.go("/services/orders", "It waits for a decision");
    await tab.page.getByRole("button", { name: "Start without its data …" }).click();
    const go = tab.page.getByRole("button", { name: "Start without the data", exact: true });
    assert.equal(await go.isDisabled(), true);
    await tab.page.getByLabel(/to confirm/).fill("orders");
    await go.click();
    await tab.page.getByRole("dialog").waitFor({ state: "detached" });
    assert.deepEqual(tab.posts, ['POST /services/orders/recover {"withoutData":true}']);
    await tab.close();
  });

  it("promotes a canary that waits for a person", async () => {
    const orders = answers()["/services/orders"];
    const change = { stage: "approval", from: 1, to: 2, batch: 1, canary: 1, health: 0, by: "admin", deadline: orders.updatedAt, startedAt: orders.updatedAt };
    const tab = await visit({}, { "/services/orders": { ...orders, rollout: change } });
    await tab.go("/services/orders", "Change to revision 2");
    await tab.sends(() => tab.page.getByRole("button", { name: "Promote" }).click());
    assert.deepEqual(tab.posts, ['POST /services/orders/rollout {"action":"promote"}']);
    await tab.close();
  });

  it("shows the plan before the deed, and does what was planned", async () => {
    const tab = await visit({}, { "POST /services": answers()["/services/orders"] });
    await tab.go("/deploy?recipe=mysql", "machines of this size are free");
    await tab.page.getByRole("button", { name: "Show the plan" }).click();
    await tab.page.getByText("the smallest that is large enough").waitFor();
    await tab.page.getByText("Why not the others").click();
    await tab.page.getByText("its disks are protected").waitFor();
    await tab.page.getByRole("button", { name: "Deploy", exact: true }).click();
    await tab.page.getByRole("heading", { name: "orders" }).waitFor();
    assert.match(tab.posts.at(-1), /^POST \/services .*"plan":"sha256:plan"/);
    await tab.close();
  });

  it("ends a lease, and finds one by its port", async () => {
    const tab = await visit({});
    await tab.go("/network", "Ethernet1");
    await tab.page.getByRole("searchbox").fill("ethernet1");
    await tab.page.getByText("1 of 3").waitFor();
    await tab.sends(() => tab.page.getByRole("button", { name: "End the lease of 10.77.0.21" }).click());
    assert.deepEqual(tab.posts, ["DELETE /leases/10.77.0.21 "]);
    await tab.close();
  });

  it("has an instance's output one click away, at an address", async () => {
    const tab = await visit({});
    await tab.go("/services/orders", "Instances");
    await tab.page.getByRole("button", { name: "Output of install, instance 1" }).click();
    await tab.page.getByText("Setting up mariadb-server").waitFor();
    assert.match(tab.page.url(), /output=1\.install/);
    await tab.close();
  });

  it("removes with the name typed where it wipes", async () => {
    const tab = await visit({});
    await tab.go("/services/orders?do=remove", "are stopped");
    await tab.page.getByRole("checkbox").check();
    const go = tab.page.getByRole("button", { name: "Remove and erase" });
    assert.equal(await go.isDisabled(), true);
    await tab.page.getByLabel(/to confirm/).fill("orders");
    const sent = tab.page.waitForRequest((r) => r.method() === "DELETE");
    await go.click();
    assert.match((await sent).url(), /\/services\/orders\?wipe=orders$/);
    await tab.close();
  });

  it("holds 5,000 machines in a few rows, and reaches the last", async () => {
    const tab = await visit({}, { "/machines": rack(5000) });
    await tab.go("/machines", "node-00000");
    const rows = tab.page.locator("table.machines tbody tr:not(.gap)");
    assert.ok((await rows.count()) < 60);
    await tab.page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await tab.page.getByText("node-04999").waitFor();
    assert.ok((await rows.count()) < 60);
    await tab.page.getByRole("searchbox").fill("node-01234");
    await tab.page.getByText("1 of 5000").waitFor();
    await tab.close();
  });

  it("loads in less than 250 kB compressed", async () => {
    const tab = await open(browser, appliance.url);
    const cdp = await tab.page.context().newCDPSession(tab.page);
    await cdp.send("Network.enable");
    let size = 0;
    cdp.on("Network.loadingFinished", (e) => (size += e.encodedDataLength));
    await tab.page.goto(appliance.url);
    await tab.page.getByLabel("Token").waitFor();
    assert.ok(size > 50_000 && size < 250_000, `${size} bytes`);
    await tab.close();
  });

  it("keeps the chosen theme", async () => {
    const tab = await visit({});
    await tab.go("/", "Needs a person");
    const back = () => tab.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await back();
    await tab.page.getByLabel("Theme").selectOption("dark");
    assert.notEqual(await back(), light);
    await tab.go("/events", "told what it is");
    assert.notEqual(await back(), light);
    await tab.close();
  });

  it("takes the README's picture, the same each time", async () => {
    const tab = await visit({ width: 1280, height: 860 });
    await tab.page.clock.setFixedTime(now);
    await tab.go("/", "Needs a person");
    await tab.page.locator(".link-live").waitFor();
    await tab.page.screenshot({ path: picture });
    assert.ok(statSync(picture).size < 300_000);
    await tab.close();
  });
});
