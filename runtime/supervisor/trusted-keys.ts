// Keys as PEM, as openssl makes them: the public ones that a device trusts, in one file that is followed, and the private one
// that signs. Takes a file whole or not at all, so that one that is half written takes no key away. Never shows a private key.

import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readBounded } from "../bounded-file.ts";
import type { Clock } from "../clock.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { keyId, type TrustedKeys } from "./signature.ts";

const howToTrust = "openssl pkey -in release.key -pubout >> trusted.pem puts one into it";
const howToMake = "openssl genpkey -algorithm ed25519 -out release.key makes one";

/** The keys of a PEM text; throws where anything in it is no public ed25519 key. `shown` names the file. */
export function trustedKeysIn(text: string, shown: string): TrustedKeys {
  const keys = new Map<string, KeyObject>();
  const wrong = (what: string): WeirError =>
    new WeirError("WEIR_CONFIG", `${shown}: ${what}`, { remedy: howToTrust });
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/g) ?? [];
  // Also a private key, which belongs on no device, and a block that lacks its end.
  if (blocks.length !== (text.match(/-----BEGIN/g) ?? []).length)
    throw wrong("something in it is no public key: expected blocks of BEGIN PUBLIC KEY and nothing else");
  for (const [place, block] of blocks.entries()) {
    let key: KeyObject;
    try {
      key = createPublicKey(block);
    } catch (error) {
      throw wrong(`its key ${place + 1} cannot be read: ${messageOf(error)}`);
    }
    if (key.asymmetricKeyType !== "ed25519")
      throw wrong(`its key ${place + 1} is of the kind ${key.asymmetricKeyType}, expected ed25519`);
    keys.set(keyId(key), key);
  }
  if (keys.size === 0) throw wrong("there is no key in it, expected public ed25519 keys");
  return keys;
}

function textOf(path: string, remedy: string): string {
  try {
    return readBounded(path, limits.key_file_bytes_max).toString("utf8");
  } catch (error) {
    const message = `${path} cannot be read: ${messageOf(error)}`;
    throw new WeirError("WEIR_FILE", message, { remedy, cause: error });
  }
}

/** The key that signs, with its public half. */
export function signingKey(path: string): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  const text = textOf(path, howToMake);
  const wrong = (what: string, cause?: unknown): WeirError =>
    new WeirError("WEIR_CONFIG", `${path}: ${what}`, { remedy: howToMake, cause });
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(text);
  } catch (error) {
    throw wrong(`expected a private key without a passphrase, as PEM: ${messageOf(error)}`, error);
  }
  if (privateKey.asymmetricKeyType !== "ed25519")
    throw wrong(`it is a key of the kind ${privateKey.asymmetricKeyType}, expected ed25519`);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** The keys of a file. */
export function readTrusted(path: string): TrustedKeys {
  return trustedKeysIn(textOf(path, howToTrust), path);
}

/**
 * Tells the keys of the file after each change of it, once two looks have found the same. Of a file that cannot be used the
 * last good keys stay. Ends by the returned function.
 */
export function followTrusted(
  path: string,
  told: (keys: TrustedKeys) => void,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): () => void {
  // Not what was read before: it may have changed since.
  let taken: string | null = null;
  let seen: string | null = null;
  let complaint = "";
  return clock.every(limits.supervisor_look_ms, () => {
    try {
      const text = textOf(path, howToTrust);
      const isStill = text === seen;
      seen = text;
      if (isStill && text !== taken) told(trustedKeysIn(text, path));
      if (!isStill) return;
      taken = text;
      complaint = "";
    } catch (error) {
      const message = messageOf(error);
      if (message !== complaint) log.warn(`the keys that are trusted stay as they were: ${message}`);
      complaint = message;
    }
  });
}
