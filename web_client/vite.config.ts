// How the page is built and tested. Only flat, hashed files under assets/ and no inlining: the daemon serves nothing
// else, and its Content-Security-Policy allows no data: scripts.
import { defineConfig } from "vitest/config";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../aimark_daemon/server/page",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  test: { include: ["tests/**/*.test.ts"] },
});
