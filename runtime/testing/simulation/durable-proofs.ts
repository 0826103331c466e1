// Whether what the world can see is durable when it can see it: at some publishes and acknowledgements, chosen by chance, keeps
// what a power cut at that moment would certainly leave of the disk, and looks afterwards whether it is in there.

import type { Publication } from "../../connect/chain/stream-port.ts";
import { VirtualClock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";
import { openCommitLog } from "../../state/log/commit-log.ts";
import type { MemoryDisk } from "../../state/log/memory-disk.ts";
import { Outbox } from "../../state/outbox/outbox.ts";
import { isMap, member, type Plain } from "../../state/plain.ts";
import { type Recovered, recoveredFrom } from "../../worker/commit-body.ts";
import { entriesOf } from "./message-entries.ts";
import type { Random } from "./random.ts";
import type { Verdict } from "./verdict.ts";

/** Share of what is seen that is looked at, and how many of a schedule. */
const looked = 0.04;
const proofs_max = 6;

type Claim =
  | { readonly kind: "published"; readonly chain: string; readonly publication: Publication }
  | { readonly kind: "acknowledged"; readonly source: number; readonly position: Plain };

export class DurableProofs {
  readonly #random: Random;
  readonly #owner: string;
  readonly #taken: { readonly disk: MemoryDisk; readonly claim: Claim }[] = [];

  constructor(random: Random, owner: string) {
    this.#random = random;
    this.#owner = owner;
  }

  published(disk: MemoryDisk, chain: string, publication: Publication): void {
    this.#take(disk, { kind: "published", chain, publication });
  }

  acknowledged(disk: MemoryDisk, source: number, position: Plain): void {
    this.#take(disk, { kind: "acknowledged", source, position });
  }

  async judge(verdict: Verdict): Promise<void> {
    for (const { disk, claim } of this.#taken) {
      try {
        const { recovery } = await openCommitLog(disk, { owner: this.#owner });
        const recovered = recoveredFrom(recovery.snapshot, recovery.commits);
        const fault = await faultOf(claim, disk, recovered);
        if (fault !== null) verdict.add("wrong", fault);
      } catch (error) {
        verdict.add("wrong", `what was durable cannot be gone on from: ${messageOf(error)}`);
      }
    }
  }

  #take(disk: MemoryDisk, claim: Claim): void {
    if (this.#taken.length >= proofs_max || !this.#random.chance(looked)) return;
    this.#taken.push({ disk: disk.durable(), claim });
  }
}

async function faultOf(claim: Claim, disk: MemoryDisk, recovered: Recovered): Promise<string | null> {
  if (claim.kind === "acknowledged") {
    const [positions = []] = recovered.positions.values();
    const durable = positions[claim.source] ?? null;
    const isThere = durable !== null && placeOf(durable) >= placeOf(claim.position);
    if (isThere) return null;
    return `source ${claim.source} was told ${JSON.stringify(claim.position)}, and durable was ${JSON.stringify(durable)}`;
  }
  const { chain, publication } = claim;
  const headers = new Map(
    Object.entries(publication.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const [sent] = entriesOf({ headers, payload: publication.payload }).slice(-1);
  if (sent === undefined) return `${chain} was sent a message of no rows`;
  const outbox = await Outbox.open(disk, recovered.outbox, { clock: new VirtualClock() });
  for (const frame of recovered.outputs) outbox.replay(frame);
  const { last } = outbox.chain(chain);
  if (last < sent.number) return `${chain} was sent entry ${sent.number}, and durable was ${last}`;
  for await (const entry of outbox.read(chain, sent.number)) {
    const isSame = entry.number === sent.number && Buffer.compare(entry.row.payload, sent.payload) === 0;
    return isSame ? null : `${chain} was sent an entry ${sent.number} that is not the durable one`;
  }
  return `${chain} was sent entry ${sent.number}, which is not durable`;
}

/** Grows from position to position, of a stream or of a journal. */
function placeOf(position: Plain): number {
  const number = (name: string): number => Number(member(position, name));
  if (isMap(position) && "sequence" in position) return number("incarnation") * 1e6 + number("sequence");
  return number("segment") * 1e12 + number("offset") * 1e5 + number("number");
}
