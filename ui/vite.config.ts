import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// APPLIANCE is the address of a running appliance, for "npx vite".
const target = process.env.APPLIANCE;

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
    // The server's policy allows no inline data but images, and the console has none.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: target ? { proxy: { "/api": { target, secure: false } } } : undefined,
});
