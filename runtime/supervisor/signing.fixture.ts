// Keys and signed pipelines for tests.

import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { digestOf, keyId, sign, type Signature, type Statement, type TrustedKeys } from "./signature.ts";
import { type WantedPipeline, wantedPipeline } from "./wanted.ts";

export interface TestKey {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** As openssl writes them. */
  readonly privatePem: string;
  readonly publicPem: string;
}

export function testKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const privatePem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const publicPem = publicKey.export({ type: "spki", format: "pem" }).toString();
  return { id: keyId(publicKey), privateKey, publicKey, privatePem, publicPem };
}

export function trusting(...keys: readonly TestKey[]): TrustedKeys {
  return new Map(keys.map(({ id, publicKey }) => [id, publicKey]));
}

export const signedAt = "2026-01-01T00:00:00.000Z";

export function signatureFor(text: string, key: TestKey, more: Partial<Statement> = {}): Signature {
  const { name } = wantedPipeline("p.yaml", text);
  const statement = { name, digest: digestOf(text), signed: signedAt, expires: null, hosts: null, ...more };
  return sign(statement, key.privateKey, key.publicKey);
}

/** A pipeline as somebody with that key asks for it. */
export function signedPipeline(text: string, key: TestKey, more: Partial<Statement> = {}): WantedPipeline {
  const file = `/p/${wantedPipeline("p.yaml", text).name}.yaml`;
  return wantedPipeline(file, text, { signature: signatureFor(text, key, more) });
}
