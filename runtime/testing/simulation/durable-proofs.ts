// Whether what the world can see is durable when it can see it: at some publishes and acknowledgements, chosen by chance, keeps
// what a power cut at that moment would certainly leave of the disk, and looks afterwards whether it is in there.

import type { Publication } from "../../connect/chain/stream-port.ts";
import { VirtualClock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";
import { openCommitLog } from "../../state/log/commit-log.ts";
import type { MemoryDisk } from "../../state/log/memory-disk.ts";
import { Outbox } from "../../state/outbox/outbox.ts";
import { member, type Plain } from "../../state/plain.ts";
import { type Recovered, recoveredFrom } from "../../worker/commit-body.ts";
import type { Random } from "./random.ts";
import type { Verdict } from "./verdict.ts";

/** Share of what is seen that is looked at, and how many of a schedule. */
const looked = 0.04;
const proofs_max = 6;

type Claim =
  | { readonly kind: "published"; readonly stream: string; readonly publication: Publication }
  | { readonly kind: "acknowledged"; readonly source: number; readonly position: Plain };

export class DurableProofs {
  readonly #random: Random;
  readonly #owner: string;
  readonly #taken: { readonly disk: MemoryDisk; readonly claim: Claim }[] = [];

  constructor(random: Random, owner: string) {
    this.#random = random;
    this.#owner = owner;
  }

  published(disk: MemoryDisk, stream: string, publication: Publication): void {
    this.#take(disk, { kind: "published", stream, publication });
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
  const { stream, publication } = claim;
  const number = Number(publication.headers["Weir-Out-Seq"]);
  const outbox = await Outbox.open(disk, recovered.outbox, { clock: new VirtualClock() });
  for (const frame of recovered.outputs) outbox.replay(frame);
  if (outbox.chain(stream).last < number)
    return `${stream} was sent entry ${number}, and durable was ${outbox.chain(stream).last}`;
  outbox.rewind(stream, number);
  const [entry] = await outbox.take(stream, 1, 1);
  const isSame = entry?.number === number && Buffer.compare(entry.row.payload, publication.payload) === 0;
  return isSame ? null : `${stream} was sent an entry ${number} that is not the durable one`;
}

/** Grows from position to position. */
function placeOf(position: Plain): number {
  return Number(member(position, "incarnation")) * 1_000_000 + Number(member(position, "sequence"));
}
