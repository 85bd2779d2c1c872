// The types that the console is checked against are those of the API as it is.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { it } from "node:test";

it("has the types of the API's description; else: npm run schema", () => {
  const ui = resolve(import.meta.dirname, "..");
  const dir = mkdtempSync(join(tmpdir(), "schema-"));
  try {
    const out = join(dir, "schema.d.ts");
    execFileSync(join(ui, "node_modules/.bin/openapi-typescript"), [join(ui, "../api/openapi.yaml"), "-o", out], { stdio: "ignore" });
    assert.ok(readFileSync(out, "utf8") === readFileSync(join(ui, "src/api/schema.d.ts"), "utf8"), "src/api/schema.d.ts is not what npm run schema writes");
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
