// Where the parts of a life can be replaced by ones with a mistake, to see that the simulation notices. Nothing is replaced
// where nothing is given.

import type { Clock } from "../../clock.ts";
import type { ChainOutbox } from "../../connect/chain/chain-sender.ts";
import type { TargetEvents } from "../../connect/chain/chain.ts";
import type { StreamPort } from "../../connect/chain/stream-port.ts";
import type { Source } from "../../connect/connect.ts";
import type { resumeStream } from "../../connect/stream-resume.ts";
import type { CommitLog, LogRecovery } from "../../state/log/commit-log.ts";
import type { Disk } from "../../state/log/disk.ts";
import type { OutboxCut, OutboxOptions } from "../../state/outbox/outbox.ts";
import type { RowStore } from "../../worker/durable-task.ts";

export interface Seams {
  readonly disk?: (disk: Disk) => Disk;
  /** The disk of the ingest. */
  readonly journalDisk?: (disk: Disk) => Disk;
  readonly log?: (log: CommitLog) => CommitLog;
  readonly recovery?: (recovery: LogRecovery) => LogRecovery;
  readonly outbox?: (options: OutboxOptions) => OutboxOptions;
  readonly rowStore?: (outbox: RowStore<OutboxCut>) => RowStore<OutboxCut>;
  readonly chainOutbox?: (outbox: ChainOutbox) => ChainOutbox;
  readonly port?: (port: StreamPort) => StreamPort;
  readonly events?: (events: TargetEvents) => TargetEvents;
  readonly source?: (source: Source) => Source;
  /** By which sources are read. */
  readonly clock?: (clock: Clock) => Clock;
  readonly resume?: typeof resumeStream;
  /** What a checkpoint of the runner says. */
  readonly states?: (states: ReadonlyMap<string, Uint8Array>) => ReadonlyMap<string, Uint8Array>;
}
