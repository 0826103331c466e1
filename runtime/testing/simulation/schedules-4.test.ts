// Worker, log, outbox and chains through faults by chance, on virtual time: seeds 1201 to 1600.

import { testSeeds } from "./schedules.fixture.ts";

testSeeds(1201, 400);
