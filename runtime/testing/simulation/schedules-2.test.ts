// Worker, log, outbox and chains through faults by chance, on virtual time: seeds 401 to 800.

import { testSeeds } from "./schedules.fixture.ts";

testSeeds(401, 400);
