// Worker, log, outbox and chains through faults by chance, on virtual time: seeds 801 to 1200.

import { testSeeds } from "./schedules.fixture.ts";

testSeeds(801, 400);
