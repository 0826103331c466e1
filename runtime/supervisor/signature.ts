// What says that somebody wants a revision to run: an ed25519 signature over a pipeline's name and text, when it was made, for
// how long and for which hosts. Pure: keys, clock and what was accepted before are arguments. Reads no file, and throws for
// nothing that a stranger can write.

import { createHash, type KeyObject, sign as signBytes, verify as verifyBytes } from "node:crypto";
import { z } from "zod";
import { instanceOf } from "../instance.ts";
import { limits } from "../limits.ts";

export interface Signature {
  /** Of the pipeline. */
  readonly name: string;
  /** sha256 of the text. */
  readonly digest: string;
  /** When, by the clock of whoever signed. */
  readonly signed: string;
  /** Until when it has to be accepted first; null for ever. */
  readonly expires: string | null;
  /** Null for all. */
  readonly hosts: readonly string[] | null;
  /** The id of the key that made it. */
  readonly key: string;
  /** Its 64 bytes in base64. */
  readonly signature: string;
}

/** A time as `weir sign` writes it, and in no other way, so that one time is one text. */
const time = z.string().refine((text) => {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text;
});

/** Of pipelines and hosts. */
const token = z.string().regex(/^[a-z0-9_-]{1,64}$/);

const signatureFile: z.ZodType<Signature> = z.strictObject({
  name: token,
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  signed: time,
  expires: time.nullable(),
  hosts: z.array(token).min(1).max(limits.signature_hosts_max).nullable(),
  key: z.string().regex(/^[0-9a-f]{16}$/),
  signature: z.string().regex(/^[A-Za-z0-9+/]{85}[AQgw]==$/),
});

/** What is signed. */
export type Statement = Omit<Signature, "key" | "signature">;

/** Public keys by their ids. */
export type TrustedKeys = ReadonlyMap<string, KeyObject>;

/**
 * Of a pipeline's name, the newest that was accepted on a host, by the key that signed it: an older one is not. By key, because
 * what a key signed that is trusted no more holds nobody back.
 */
export type Accepted = Readonly<Record<string, Pick<Signature, "signed" | "digest">>>;

export const nothingAccepted: Accepted = {};

export interface Circumstances {
  readonly host: string;
  readonly keys: TrustedKeys;
  /** Wall clock ms. */
  readonly now: number;
  /** Of that name. */
  readonly accepted: Accepted;
}

/** Accepted with what it says, or refused with where, what was expected, and what to do. */
export type Verdict =
  | { readonly signature: Signature; readonly refusal: null }
  | { readonly signature: null; readonly refusal: string };

/** A pipeline, and what is said to be its signature. */
export interface Signed {
  readonly name: string;
  readonly text: string;
  readonly signature?: unknown;
}

/** Nothing else that a key of ours signs begins so. */
const domain = "weir: this revision of a pipeline may run, 1\n";

export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** The short name of a public key. */
export function keyId(key: KeyObject): string {
  const bytes = key.export({ type: "spki", format: "der" });
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

function bytesOf({ name, digest, signed, expires, hosts }: Statement): Buffer {
  return Buffer.from(`${domain}${JSON.stringify({ name, digest, signed, expires, hosts })}`);
}

/** `publicKey` is that of `privateKey`. */
export function sign(statement: Statement, privateKey: KeyObject, publicKey: KeyObject): Signature {
  const signature = signBytes(null, bytesOf(statement), privateKey).toString("base64");
  const { name, digest, signed, expires, hosts } = statement;
  return { name, digest, signed, expires, hosts, key: keyId(publicKey), signature };
}

/** What stands in a signature; null where it is none. */
export function readSignature(signature: unknown): Signature | null {
  return signatureFile.safeParse(signature).data ?? null;
}

/** What tells one signature from another, whatever they are. */
export function signatureMark(signature: unknown): string {
  return signature === undefined ? "" : JSON.stringify(signature);
}

/** Whether a pipeline may run that is asked for now. */
export function verify(signed: Signed, circumstances: Circumstances): Verdict {
  const verdict = verifyAgain(signed, circumstances);
  if (verdict.signature === null) return verdict;
  const refusal = staleness(verdict.signature, circumstances);
  return refusal === null ? verdict : refused(refusal);
}

/** Whether one that was accepted before may run still: neither its age nor its expiry counts any more. */
export function verifyAgain(
  { name, text, signature: claimed }: Signed,
  { host, keys }: Pick<Circumstances, "host" | "keys">,
): Verdict {
  const trusted = someOf([...keys.keys()]);
  if (claimed === undefined)
    return refused(
      `it is not signed; expected a signature by a key that is trusted here (${trusted}): weir sign --key, and apply it again`,
    );
  const signature = readSignature(claimed);
  if (signature === null)
    return refused("its signature is none that weir sign writes: sign it again, and apply it again");
  const { pipeline } = instanceOf(name);
  if (signature.name !== pipeline)
    return refused(
      `its signature is of ${signature.name}, expected ${pipeline}: sign this one, and apply it again`,
    );
  const digest = digestOf(text);
  if (signature.digest !== digest)
    return refused(
      `its text is not what was signed (sha256 ${digest}, expected ${signature.digest}): apply it as it was signed, or sign it again`,
    );
  const key = keys.get(signature.key);
  if (key === undefined)
    return refused(
      `key ${signature.key} is not trusted here, expected one of ${trusted}: sign it with one of those, or add the key to the file of --trust`,
    );
  if (!verifyBytes(null, bytesOf(signature), key, Buffer.from(signature.signature, "base64")))
    return refused(`its signature was not made by key ${signature.key}, or was changed since: sign it again`);
  if (signature.hosts !== null && !signature.hosts.includes(host))
    return refused(
      `it is signed for ${someOf(signature.hosts)}, and this host is ${host}: sign it with --host ${host} as well`,
    );
  return { signature, refusal: null };
}

/** Why one that is asked for now comes too late; null where it does not. */
function staleness(signature: Signature, { keys, now, accepted }: Circumstances): string | null {
  const { name, signed, expires } = signature;
  const times = Object.entries(accepted).flatMap(([key, { signed: at }]) => (keys.has(key) ? [at] : []));
  const newer = times.find((at) => Date.parse(at) > Date.parse(signed));
  if (newer !== undefined)
    return `it was signed at ${signed}, and one that was signed at ${newer} was accepted here already: to go back, sign the earlier one anew, as weir rollback ${name} --key does`;
  // What was accepted in time is what it was: the clock of a device may be wrong, and what runs has to go on.
  if (expires === null || isAccepted(signature, accepted) || now < Date.parse(expires)) return null;
  return `its signature was good until ${expires}: sign it again, and apply it again`;
}

/** Whether it is the very one that was accepted last. */
export function isAccepted({ key, signed, digest }: Signature, accepted: Accepted): boolean {
  const known = accepted[key];
  return known?.signed === signed && known.digest === digest;
}

/** With one that is accepted now. */
export function accepting({ key, signed, digest }: Signature, accepted: Accepted): Accepted {
  return { ...accepted, [key]: { signed, digest } };
}

/** So many are listed. */
const shownMost = 8;

function someOf(names: readonly string[]): string {
  const more = names.length > shownMost ? `, and ${names.length - shownMost} more` : "";
  return `${names.slice(0, shownMost).join(", ")}${more}`;
}

function refused(refusal: string): Verdict {
  return { signature: null, refusal };
}
