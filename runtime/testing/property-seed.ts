// What a property test that names no seed draws from. Vitest reads it before each test file. The same for everyone,
// so that what is red here is red elsewhere, and what must happen often enough in random cases does. Looks for nothing
// new: that is what the oracle, the simulation and the fuzzer do, and `WEIR_TEST_SEED=random npm test`.

import * as fc from "fast-check";

const asked = process.env["WEIR_TEST_SEED"] ?? "1";

if (asked !== "random") fc.configureGlobal({ seed: Number(asked) });
