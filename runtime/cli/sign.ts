// weir sign: says with a key of one's own that pipeline files may run, in a file beside each. And the signatures that other
// commands take along, which have to be of the files as they are now. Lints nothing, and never shows a key.

import { basename } from "node:path";
import { wallClock } from "../clock.ts";
import { WeirError } from "../errors.ts";
import { variablesOf, readInput } from "../engine/loader.ts";
import {
  digestOf,
  readSignature,
  sign as signStatement,
  type Signature,
  type Statement,
} from "../supervisor/signature.ts";
import { signatureBeside, signaturePath, writeSignature } from "../supervisor/signature-file.ts";
import { signingKey } from "../supervisor/trusted-keys.ts";
import { type WantedPipeline, wantedPipeline } from "../supervisor/wanted.ts";
import { durationOption } from "./duration-option.ts";
import { checkHost } from "./host-name.ts";
import { filesOf } from "./load.ts";
import { filesNamedIn } from "./named-files.ts";
import { print, warn } from "./terminal.ts";

export interface SignOptions {
  readonly key: string;
  /** Only these; none for all. */
  readonly host: readonly string[];
  readonly expires?: string;
}

type SigningKey = ReturnType<typeof signingKey>;

function statementOf(
  { name, text }: WantedPipeline,
  { hosts, forMs }: { readonly hosts: readonly string[] | null; readonly forMs: number | null },
): Statement {
  const now = wallClock.now();
  const expires = forMs === null ? null : new Date(now + forMs).toISOString();
  return { name, digest: digestOf(text), signed: new Date(now).toISOString(), expires, hosts };
}

function signed(statement: Statement, { privateKey, publicKey }: SigningKey): Signature {
  return signStatement(statement, privateKey, publicKey);
}

export function sign(names: readonly string[], options: SignOptions): number {
  const { host, expires } = options;
  for (const each of host) checkHost(each);
  const forMs = expires === undefined ? null : durationOption(expires, "--expires", 1);
  const hosts = host.length === 0 ? null : [...new Set(host)];
  const key = signingKey(options.key);
  // All of them are read before the first is signed.
  const pipelines = filesOf(names).map((file) => {
    const { text } = readInput(file, variablesOf({}));
    return { file, pipeline: wantedPipeline(file, text) };
  });
  for (const { file, pipeline } of pipelines) {
    const signature = signed(statementOf(pipeline, { hosts, forMs }), key);
    writeSignature(file, signature);
    const where = hosts === null ? "all hosts" : hosts.join(", ");
    const until = signature.expires === null ? "" : ` until ${signature.expires}`;
    print(`${signaturePath(file)}: ${pipeline.name} ${pipeline.revision} for ${where}${until}`);
    const named = filesNamedIn(file, pipeline.text);
    if (named.length > 0)
      warn(
        `${named.join(", ")}: not signed with it; devices take what lies there, so nobody but whoever is trusted may write them`,
      );
  }
  return 0;
}

/** The signature beside a pipeline's file; undefined where there is none. Throws where it is not of this text. */
export function signatureOf(file: string, { name, text }: Pick<WantedPipeline, "name" | "text">): unknown {
  const found = signatureBeside(file);
  if (found === undefined) return undefined;
  const signature = readSignature(found);
  const wrong =
    signature === null
      ? "it is no signature that weir sign writes"
      : signature.name !== name
        ? `it is of the pipeline ${signature.name}, expected ${name}`
        : signature.digest !== digestOf(text)
          ? `it is not of the text that ${basename(file)} has now`
          : null;
  if (wrong === null) return signature;
  throw new WeirError("WEIR_CONFIG", `${signaturePath(file)}: ${wrong}`, {
    remedy: `sign the file again: weir sign ${file} --key release.key; or remove ${basename(signaturePath(file))}`,
  });
}

/**
 * An earlier revision, to be wanted again. With a key it is signed anew, for the hosts and as long as it was; one that was not
 * signed for `hosts` only.
 */
export function wantedAgain(
  earlier: WantedPipeline,
  { key, hosts }: { readonly key: string | undefined; readonly hosts: readonly string[] | null },
): WantedPipeline {
  const before = readSignature(earlier.signature);
  if (key === undefined) {
    if (before !== null)
      warn(
        `it has the signature of ${before.signed}; a device with --trust refuses it as older than what it has accepted: --key signs it anew`,
      );
    return earlier;
  }
  const forMs = before?.expires == null ? null : Date.parse(before.expires) - Date.parse(before.signed);
  const statement = statementOf(earlier, { hosts: before === null ? hosts : before.hosts, forMs });
  return { ...earlier, signature: signed(statement, signingKey(key)) };
}
