// Writes NOTICE: the npm packages whose code is in the console, with their
// licences. Run by "npm run notice"; a test compares.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = import.meta.dirname;
const read = (file) => JSON.parse(readFileSync(join(root, file), "utf8"));
const lock = read("package-lock.json").packages;

/** Names of the packages that the given ones need at run time, themselves included. */
function closure(names, seen = new Set()) {
  for (const name of names) {
    const entry = lock[`node_modules/${name}`];
    if (seen.has(name) || !entry) continue;
    seen.add(name);
    closure(Object.keys(entry.dependencies ?? {}), seen);
  }
  return seen;
}

export function notice() {
  let out = "The web console contains code of these npm packages.\n";
  for (const name of [...closure(Object.keys(read("package.json").dependencies))].sort()) {
    const dir = join(root, "node_modules", name);
    const info = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
    const file = existsSync(dir) ? readdirSync(dir).find((f) => /^licen[cs]e/i.test(f)) : undefined;
    out += `\n${name} ${lock[`node_modules/${name}`].version} (${info.license})\n\n`;
    out += file ? readFileSync(join(dir, file), "utf8").trim().replace(/^/gm, "    ").replace(/ +$/gm, "") + "\n" : "";
  }
  return out;
}

if (process.argv[1] === import.meta.filename) writeFileSync(join(root, "NOTICE"), notice());
