import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig, type ViteUserConfig } from "vitest/config";

// What is started from the sources takes half the processor time to start where compiled code is kept.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, ".weir", "compile-cache");

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["{runtime,operators,bench,deploy,.ci}/**/*.test.ts"],
    globalSetup: "runtime/testing/suite-folder.ts",
    setupFiles: "runtime/testing/property-seed.ts",
    pool: "forks",
    // Starting a process and reading the house again for each of 200 files took a tenth of all the processor time.
    isolate: false,
    // One more than there are processors: many files wait for servers and containers while others compute.
    maxWorkers: availableParallelism() + 1,
    // For what hangs. A machine that others use as well takes five times as long for everything.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});

export default config;
