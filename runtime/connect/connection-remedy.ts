// What to do about a server of NATS that lets nobody in, by what it or the system says. Pure.

/** As a proxy does that takes connections for a server which is not there. */
const closedAtOnce = "the connection was closed before a server spoke";

/** Why no connection came about, by what the client says. */
export function connectionReason(message: string): string {
  return message.includes("node provided an undefined error") ? closedAtOnce : message;
}

/** `name`: what the connection is called. A server that refuses is there: what it refuses is what to look at. */
export function connectionRemedy(reason: string, name: string): string {
  return (
    refusalRemedy(reason, name) ??
    `start a nats-server there, or say where it is: --nats ${name === "default" ? "" : `${name}=`}nats://HOST:PORT`
  );
}

/** Of a server that is there and refuses, or of an address that is none; null where it may not be there yet. */
export function refusalRemedy(reason: string, name: string): string | null {
  if (/parse credentials/i.test(reason))
    return `it holds the text of a credentials file: nats: ${name}: { credentials: "\${file:edge.creds}" } in weir.yaml`;
  if (/ENOTFOUND|EAI_AGAIN/.test(reason))
    return "no address is known for that name: check how the host is written, and that this machine can look names up";
  if (/^timeout$/i.test(reason) || reason === closedAtOnce)
    return "nothing there answers as a nats-server does: check host and port, and what is between";
  if (/authoriz|authentic|credential|nkey|user name|\bjwt\b/i.test(reason))
    return `check the user and the password, token or credentials: in the address, or under nats: ${name}: in weir.yaml`;
  if (/does not support 'tls'/i.test(reason))
    return "the server there speaks no TLS: write nats:// in place of tls://, and no tls: for it in weir.yaml";
  if (/doesn't exist|certificate|\bcert\b|altname|\btls|\bssl|handshake failure/i.test(reason))
    return `check the certificates: nats: ${name}: tls: { ca, cert, key } in weir.yaml, and that the server's is of this address and still valid`;
  return null;
}
