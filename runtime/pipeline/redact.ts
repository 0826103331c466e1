// Secrets out of what is told. A message about a secret's own value may quote a part of it, cut, escaped or in small letters,
// as the name that it should have been; so there each word that is in the secret goes as well. Never reads a document.

/** `text` with every secret of at least four characters replaced by `***`. */
export function redact(text: string, secrets: readonly string[]): string {
  let redacted = text;
  // The longest first, so that a secret inside another leaves no tail.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length >= 4) redacted = redacted.replaceAll(secret, "***");
  }
  return redacted;
}

/** The same of a message about a value in which they stand: words of theirs of at least three characters go, too. */
export function redactWords(text: string, secrets: readonly string[]): string {
  const hidden = secrets.map((secret) => secret.toLowerCase());
  return redact(text, secrets).replace(/[\p{L}\p{N}]{3,}/gu, (word) =>
    hidden.some((secret) => secret.includes(word.toLowerCase())) ? "***" : word,
  );
}
