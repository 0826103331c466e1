// All entries that a key-value bucket has now, in one go. Follows nothing and changes nothing.

import type { KV, KvEntry } from "@nats-io/kv";

/** By key; those that were deleted are not there. */
export async function entriesOf(store: KV): Promise<Map<string, KvEntry>> {
  const found = new Map<string, KvEntry>();
  // Of a bucket that holds nothing the watch would never tell that it has told all.
  if ((await store.status()).values === 0) return found;
  const watch = await store.watch();
  for await (const entry of watch) {
    if (entry.operation === "PUT") found.set(entry.key, entry);
    else found.delete(entry.key);
    if (entry.delta === 0 || entry.isUpdate) break;
  }
  watch.stop();
  return found;
}

/** What stands in an entry; undefined where that is no JSON. */
export function jsonOf(entry: KvEntry): unknown {
  try {
    return entry.json();
  } catch {
    return undefined;
  }
}
