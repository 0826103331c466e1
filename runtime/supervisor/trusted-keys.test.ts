// The file of keys that are trusted: what openssl makes is read, everything else is refused, and a change counts once it is whole.

import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { VirtualClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { keyId } from "./signature.ts";
import { testKey } from "./signing.fixture.ts";
import { followTrusted, readTrusted, signingKey, trustedKeysIn } from "./trusted-keys.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-keys-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string): string => join(folder, name);
const [one, two] = [testKey(), testKey()];
const rsa = generateKeyPairSync("rsa", { modulusLength: 1_024 });
const pemOf = rsa.publicKey.export({ type: "spki", format: "pem" }).toString();

test("keys that openssl makes sign and are trusted, several in one file", () => {
  const openssl = (...parameters: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync("openssl", parameters, { encoding: "utf8", cwd: folder });
    expect([status, stderr]).toEqual([0, expect.anything()]);
    return stdout;
  };
  for (const name of ["a", "b"]) {
    openssl("genpkey", "-algorithm", "ed25519", "-out", `${name}.key`);
    appendFileSync(path("trusted.pem"), openssl("pkey", "-in", `${name}.key`, "-pubout"));
  }
  const ids = ["a", "b"].map((name) => keyId(signingKey(path(`${name}.key`)).publicKey));
  expect([...readTrusted(path("trusted.pem")).keys()]).toEqual(ids);
});

test.each([
  ["nothing", "", /no key in it/],
  ["a note", "ask ada\n", /no key in it/],
  ["a private key", one.privatePem, /is no public key/],
  ["a private key beside a public one", one.publicPem + two.privatePem, /is no public key/],
  ["a key that lacks its end", one.publicPem + two.publicPem.slice(0, -30), /is no public key/],
  ["one of another kind", one.publicPem + pemOf, /its key 2 is of the kind rsa/],
  ["one that is damaged", one.publicPem.replace("MCow", "MCox"), /its key 1/],
])("refused: %s", (_, text, message) => {
  expect(() => trustedKeysIn(text, "trusted.pem")).toThrow(
    expect.objectContaining({
      code: "WEIR_CONFIG",
      message: expect.stringMatching(message),
      remedy: expect.stringContaining("openssl"),
    }),
  );
});

test("a file that is not there, or is no key that signs, says what to do", () => {
  const makes = { remedy: expect.stringContaining("openssl genpkey") };
  expect(() => readTrusted(path("none.pem"))).toThrow(expect.objectContaining({ code: "WEIR_FILE" }));
  expect(() => readTrusted(folder)).toThrow(expect.objectContaining({ code: "WEIR_FILE" }));
  expect(() => signingKey(path("none.key"))).toThrow(
    expect.objectContaining({ code: "WEIR_FILE", ...makes }),
  );
  const rsaPem = rsa.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  for (const text of [one.publicPem, rsaPem, "no key\n"]) {
    writeFileSync(path("wrong.key"), text);
    const thrown = expect.objectContaining({ code: "WEIR_CONFIG", ...makes });
    expect(() => signingKey(path("wrong.key"))).toThrow(thrown);
  }
});

test("a change counts once two looks have found it whole; of a bad one the last keys stay, and it is told once", () => {
  const file = path("followed.pem");
  const clock = new VirtualClock();
  const warned: string[] = [];
  const log = { ...silentLog, warn: (line: string) => void warned.push(line) } as unknown as Log;
  const told: string[][] = [];
  const look = (): void => clock.advanceTo(clock.now() + limits.supervisor_look_ms);
  writeFileSync(file, one.publicPem);
  const end = followTrusted(file, (keys) => void told.push([...keys.keys()]), { clock, log });
  for (let count = 0; count < 3; count++) look();
  expect(told).toEqual([[one.id]]);
  writeFileSync(file, one.publicPem + two.publicPem.slice(0, 40));
  look();
  writeFileSync(file, one.publicPem + two.publicPem);
  look();
  expect([told.length, warned]).toEqual([1, []]);
  look();
  expect(told.at(-1)).toEqual([one.id, two.id]);
  writeFileSync(file, "");
  for (let count = 0; count < 4; count++) look();
  rmSync(file);
  for (let count = 0; count < 4; count++) look();
  expect(told.length).toBe(2);
  expect(warned).toEqual([
    expect.stringMatching(/stay as they were: .*no key in it/),
    expect.stringMatching(/stay as they were: .*cannot be read/),
  ]);
  writeFileSync(file, two.publicPem);
  for (let count = 0; count < 3; count++) look();
  expect(told.at(-1)).toEqual([two.id]);
  end();
  expect(readFileSync(file, "utf8")).toBe(two.publicPem);
});
