// Headless Chromium, and what is looked at on every page: no request leaves
// the appliance, nothing is complained about.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
    ],
  });

/** open makes a page of its own that watches itself; trouble is what it saw. */
export async function open(browser, url, { width = 1280, height = 900, dark = false, session } = {}) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true, viewport: { width, height }, colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce", locale: "en-GB", timezoneId: "UTC", storageState: session,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const trouble = [];
  page.on("request", (r) => {
    if (new URL(r.url()).origin !== url) trouble.push(`request to ${r.url()}`);
  });
  page.on("console", (m) => {
    if (m.type() === "error" || m.type() === "warning") trouble.push(`console: ${m.text()} ${m.location().url}`);
  });
  page.on("pageerror", (e) => trouble.push(`error: ${e.message}`));
  return { page, trouble, close: () => context.close() };
}

/** enter logs in by the form. */
export async function enter(page, appliance) {
  await page.goto(appliance.url + "/");
  await page.getByLabel("Token").fill(appliance.token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}

/** axe returns what it finds, as text. */
export async function axe(page) {
  // The server's policy forbids scripts that are not its own: the debugger may still evaluate one.
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const r = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return r.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.any.map((a) => a.message).join("; ")}`).join(" | ")}`);
  });
  return found;
}

/** expected drops what a test provoked on purpose. */
export const expected = (trouble, ...patterns) => trouble.filter((t) => !patterns.some((p) => p.test(t)));
