// Worker, log, outbox and chains through faults by chance, on virtual time: seeds 1 to 400.

import { testSeeds } from "./schedules.fixture.ts";

testSeeds(1, 400);
