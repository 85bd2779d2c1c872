import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { notice } from "../notice.mjs";

test("NOTICE names what is in the console; if not, run: npm run notice", () => {
  assert.equal(readFileSync(new URL("../NOTICE", import.meta.url), "utf8"), notice());
});
