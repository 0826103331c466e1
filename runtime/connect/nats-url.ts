// Server addresses: credentials are taken out of the address, because the client would repeat them in
// its messages, and nothing that is shown or logged may hold one. Opens nothing.

import { WeirError } from "../errors.ts";

export interface NatsAddress {
  /** `host:port`, without scheme and credentials. */
  readonly server: string;
  readonly user: string | null;
  readonly password: string | null;
  readonly token: string | null;
  readonly tls: boolean;
}

const schemes: ReadonlySet<string> = new Set(["nats:", "tls:"]);

/** Reads `nats://user:password@host:port`, `tls://token@host`, `host:port`. */
export function parseNatsUrl(text: string): NatsAddress {
  const trimmed = text.trim();
  const url = toUrl(trimmed);
  const user = decoded(url?.username);
  const password = decoded(url?.password);
  if (
    url === null ||
    url.hostname === "" ||
    !schemes.has(url.protocol) ||
    user === null ||
    password === null
  ) {
    // A password with a slash or a space in it is why this is no address, and still a password.
    const shown = trimmed.replace(/^(\w+:\/\/)?.*@/s, "$1***@");
    throw new WeirError(
      "WEIR_CONFIG",
      `expected the address of a NATS server such as nats://127.0.0.1:4222, got ${JSON.stringify(shown)}`,
      {
        remedy:
          "Use nats:// or tls://, a host, and a port when it is not 4222; in a password %2F is /, %40 is @, %25 is %.",
      },
    );
  }
  return {
    server: `${url.hostname}:${url.port === "" ? "4222" : url.port}`,
    user: user !== "" && password !== "" ? user : null,
    password: user !== "" && password !== "" ? password : null,
    token: user !== "" && password === "" ? user : null,
    tls: url.protocol === "tls:",
  };
}

function toUrl(text: string): URL | null {
  try {
    return new URL(text.includes("://") ? text : `nats://${text}`);
  } catch {
    return null;
  }
}

/** What a part of an address stands for; null where a % in it is no escape. */
function decoded(part = ""): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/** The text with whatever stands between `//` and `@` replaced, and each secret as well. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text
    .replaceAll(/\/\/[^/\s@]*(?:@[^/\s@]*)*@/g, "//***@")
    .replaceAll(/^[^/\s]+:[^/\s]+@/g, "***@");
  for (const secret of secrets) {
    if (secret !== "") clean = clean.replaceAll(secret, "***");
  }
  return clean;
}
