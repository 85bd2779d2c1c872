// The console against the real appliance, with simulated machines.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "./agent.mjs";
import { Appliance } from "./appliance.mjs";
import { axe, enter, expected, launch, open } from "./browser.mjs";

describe("console, live", { concurrency: false }, () => {
  let appliance;
  let browser;
  let seen; // the page that stays open through the story
  before(async () => {
    appliance = await Appliance.start();
    browser = await launch();
    seen = await open(browser, appliance.url);
  });
  after(async () => {
    await browser?.close();
    await appliance?.stop();
  });

  it("says where the token is, and that a wrong one is wrong", async () => {
    const { page } = seen;
    await page.goto(appliance.url + "/machines");
    await page.getByText("admin.token").first().waitFor();
    assert.deepEqual(await axe(page), []);
    await page.getByLabel("Token").fill("not-a-token");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").getByText("This token is not valid.").waitFor();
    await page.getByLabel("Token").fill(appliance.token);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Machines" }).waitFor(); // the page that was asked for
  });

  it("teaches on empty pages", async () => {
    const { page } = seen;
    for (const [name, text] of [
      ["Machines", "No machines yet."], ["Services", "No services yet."], ["Events", "Nothing has happened yet."], ["Overview", "No machines yet."],
    ]) {
      await page.getByRole("navigation").getByRole("link", { name }).click();
      await page.getByText(text).waitFor();
      assert.deepEqual(await axe(page), [], name);
    }
  });

  it("shows a machine that appears, and what it becomes, without a reload", async () => {
    const { page } = seen;
    await page.evaluate(() => (globalThis.notReloaded = true));
    const agent = new Agent(appliance, 1, { content: ["gpt: 2 partitions", "ext4 root"] });
    await agent.hello();
    const tile = page.locator("a.tile", { hasText: agent.name });
    await tile.getByText("waits to be let in").waitFor();
    await page.getByRole("link", { name: `Accept ${agent.name}` }).waitFor();
    await tile.click();
    await page.getByText("Waiting to be accepted; until then nothing is written to it.").waitFor();
    await page.getByRole("cell", { name: "agent test" }).waitFor(); // the boot timeline
    await page.getByRole("rowheader", { name: "Inventory received" }).waitFor();
    assert.equal(await page.evaluate(() => globalThis.notReloaded), true);
  });

  it("accepts, and erases only what was typed", async () => {
    const { page } = seen;
    const [machine] = await appliance.api("GET", "/machines");
    const agent = new Agent(appliance, 1, { content: ["gpt: 2 partitions", "ext4 root"] });
    await agent.hello();
    await page.getByRole("button", { name: "Accept …" }).click();
    assert.match(page.url(), /do=accept/);
    const dialog = page.getByRole("dialog");
    await dialog.getByText("WD-1").waitFor();
    await dialog.getByText("64 GB ssd").waitFor();
    await dialog.getByText("gpt: 2 partitions, ext4 root").waitFor();
    assert.equal(await dialog.getByRole("button", { name: "Accept", exact: true }).isEnabled(), true);
    await dialog.getByRole("checkbox").check();
    const erase = dialog.getByRole("button", { name: "Accept and erase" });
    assert.equal(await erase.isDisabled(), true);
    await dialog.getByLabel(/Type .* to confirm/).fill(machine.name + "x");
    assert.equal(await erase.isDisabled(), true);
    await dialog.getByLabel(/Type .* to confirm/).fill(machine.name);
    assert.deepEqual(await axe(page), []);
    await erase.click();
    await page.getByRole("heading", { name: "Operation: enrol" }).waitFor();
    const welcome = await agent.hello();
    assert.equal(welcome.state, "work");
    const wipe = await agent.work((t) => t.kind === "wipe");
    await page.getByText("Erasing its disks").waitFor();
    await agent.progress(wipe, { done: 16e9, total: 64e9, unit: "bytes" });
    await page.locator(".sentence").getByText("25 %", { exact: true }).waitFor();
    await agent.done(wipe, agent.result(wipe));
    await page.getByText("Ready: in the pool, its agent stands by in memory.").waitFor();
  });

  it("deploys from the form, and says what is wrong with it", async () => {
    const { page } = seen;
    await appliance.api("PUT", "/images/debian-12", Buffer.alloc(8 << 20, 7));
    await page.goto(appliance.url + "/catalogue");
    assert.deepEqual(await axe(page), []);
    await page.getByRole("link", { name: "Deploy mysql" }).click();
    await page.getByLabel("Name").fill("orders");
    await page.getByLabel("Template").fill("SMALL_LINUS");
    assert.deepEqual(await axe(page), []);
    await page.getByRole("button", { name: "Deploy", exact: true }).click();
    const alert = page.getByRole("alert");
    await alert.getByText("orders was not deployed.").waitFor();
    assert.match(await alert.innerText(), /SMALL_LINUX/); // the near match
    await page.getByLabel("Template").fill("SMALL_LINUX");
    await page.getByText("1 machine of this size is free.").waitFor();
    await page.getByRole("button", { name: "Deploy", exact: true }).click();
    await page.getByRole("heading", { name: "orders" }).waitFor();
    assert.match(page.url(), /\/services\/orders$/);
    await page.getByText("Being deployed: 0 of 1 instance running.").waitFor();
    await page.getByLabel("Instance 1", { exact: true }).getByText("Get a machine").waitFor();
    assert.deepEqual(await axe(page), []);
  });

  it("keeps filters in the address, and goes back", async () => {
    const { page } = seen;
    for (let n = 2; n <= 6; n++) await new Agent(appliance, n).hello();
    await page.goto(appliance.url + "/machines");
    const rows = page.locator("table.machines tbody tr:not(.gap)");
    await page.getByText("6", { exact: true }).first().waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("sn3");
    await page.getByText("1 of 6").waitFor();
    assert.equal(await rows.count(), 1);
    assert.match(page.url(), /\?q=sn3$/);
    await page.reload();
    await page.getByText("1 of 6").waitFor();
    await rows.first().getByRole("link").click();
    await page.getByText("Waiting to be accepted").waitFor();
    await page.goBack();
    await page.getByText("1 of 6").waitFor();
    assert.equal(await page.getByRole("searchbox").inputValue(), "sn3");
    await page.getByRole("searchbox").fill("");
    await page.getByRole("button", { name: /^discovered/ }).click();
    await page.getByText("5 of 6").waitFor();
    assert.match(page.url(), /phase=discovered/);
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), await rows.nth(1).getByRole("link").innerText());
    await page.keyboard.press("?");
    await page.getByRole("heading", { name: "Help" }).waitFor();
    await page.keyboard.press("/");
    await page.getByRole("searchbox").waitFor();
    await page.waitForFunction(() => document.activeElement?.type === "search");
    await page.goBack();
    await page.getByRole("heading", { name: "Help" }).waitFor();
    await page.goBack();
    await page.getByText("5 of 6").waitFor();
  });

  it("filters events, each with a link to what it is about", async () => {
    const { page } = seen;
    await page.goto(appliance.url + "/events?service=orders");
    const events = page.getByRole("list", { name: "Events, newest first" });
    await events.getByText("asked for service orders").waitFor();
    assert.equal(await events.getByText("told what it is").count(), 0);
    await page.getByRole("combobox", { name: "Service" }).selectOption("");
    await events.getByText("told what it is").first().waitFor();
    await events.getByRole("link", { name: "orders" }).first().click();
    await page.getByRole("heading", { name: "orders" }).waitFor();
  });

  it("says what stands in the way when the appliance refuses", async () => {
    const { page } = seen;
    await page.goto(appliance.url + "/machines/no-such-machine");
    await page.getByRole("alert").getByText("Machine no-such-machine could not be read.").waitFor();
    await page.goto(appliance.url + "/nowhere");
    await page.getByText("There is nothing at /nowhere.").waitFor();
  });

  it("says that the stream is lost and since when, and comes back", async () => {
    const { page } = seen;
    await page.goto(appliance.url + "/machines");
    await page.locator(".link-live").waitFor();
    await appliance.halt();
    const banner = page.getByRole("alert").getByText("The connection to the appliance is lost.");
    await banner.waitFor();
    assert.match(await page.locator(".banner").innerText(), /as of .*\d\d:\d\d:\d\d UTC/);
    await page.locator("table.machines tbody a").nth(5).waitFor(); // what was read stays
    await appliance.run();
    await page.locator(".link-live").waitFor();
    await banner.waitFor({ state: "detached" });
    await new Agent(appliance, 7).hello(); // and it is live again
    await page.locator("table.machines tbody tr:not(.gap)").nth(6).waitFor();
  });

  it("logs out", async () => {
    const { page } = seen;
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Token").waitFor();
    await page.goto(appliance.url + "/events");
    await page.getByLabel("Token").waitFor();
  });

  it("asked nobody else, and nothing complained", () => {
    const provoked = [/status of 401/, /status of 400/, /status of 404/, /ERR_CONNECTION_REFUSED/, /ERR_HTTP2|ERR_INCOMPLETE|ERR_CONNECTION_(RESET|CLOSED)|ERR_EMPTY/];
    assert.deepEqual(expected(seen.trouble, ...provoked), []);
  });

  it("lets in with the token typed", async () => {
    const { page, trouble, close } = await open(browser, appliance.url, { width: 400, dark: true });
    await enter(page, appliance);
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(expected(trouble, /status of 401/), []);
    await close();
  });
});
