// The worker's door: who may open it, what it answers, and what becomes of sockets that nobody listens on.

import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { askWorkers } from "./control-client.ts";
import { openControl } from "./control.ts";

const base = mkdtempSync(join(tmpdir(), "weir-control-test-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const known: Readonly<Record<string, unknown>> = { "/pipelines": ["climate"], "/pipelines/ü x": { n: 1 } };
const answers = (path: string): unknown => known[path];

describe("a worker's door", () => {
  it("answers what it knows, and says what it does not", async () => {
    const folder = join(base, "run");
    const [one, other] = [
      await openControl(folder, "one", answers),
      await openControl(folder, "two", () => undefined),
    ];
    expect(await askWorkers(folder, "/pipelines")).toEqual([
      { worker: one.path, answer: ["climate"] },
      { worker: other.path, answer: null },
    ]);
    expect((await askWorkers(folder, "/pipelines/ü x"))[0]?.answer).toEqual({ n: 1 });
    await one.close();
    await other.close();
    expect(await askWorkers(folder, "/pipelines")).toEqual([]);
  });

  it("is there again when its folder was tidied away", async () => {
    const folder = join(base, "tidied");
    const control = await openControl(folder, "one", answers);
    for (let time = 0; time < 2; time++) {
      rmSync(folder, { recursive: true });
      let found = await askWorkers(folder, "/pipelines");
      expect(found).toEqual([]);
      while (found.length === 0) {
        await sleep(wallClock, 20);
        found = await askWorkers(folder, "/pipelines");
      }
      expect(found).toEqual([{ worker: control.path, answer: ["climate"] }]);
      expect(statSync(folder).mode & 0o777).toBe(0o700);
      expect(statSync(control.path).mode & 0o777).toBe(0o600);
    }
    await control.close();
    expect(await askWorkers(folder, "/pipelines")).toEqual([]);
  });

  it("is closed to others", async () => {
    const folder = join(base, "closed");
    const control = await openControl(folder, "one", answers);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(control.path).mode & 0o777).toBe(0o600);
    await control.close();
    chmodSync(folder, 0o755);
    await expect(openControl(folder, "one", answers)).rejects.toMatchObject({ code: "WEIR_FILE" });
    await expect(openControl(join(base, "x".repeat(120)), "one", answers)).rejects.toThrow("longer than");
  });

  it("only answers, and a question that fails harms nothing", async () => {
    const folder = join(base, "asked");
    const control = await openControl(folder, "one", () => {
      throw new Error("not now");
    });
    const status = await new Promise<number>((resolve) => {
      const asked = request({ socketPath: control.path, method: "POST", path: "/" }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.end("x");
    });
    expect(status).toBe(405);
    expect(await askWorkers(folder, "/pipelines")).toEqual([{ worker: control.path, answer: null }]);
    await control.close();
  });

  it("takes no path that is none, and does not wait for who asks slowly", async () => {
    const folder = join(base, "odd");
    const control = await openControl(folder, "one", answers);
    const said = (text: string): Promise<string> =>
      new Promise((resolve) => {
        let got = "";
        const socket = connect(control.path, () => void socket.write(text));
        socket.on("data", (data) => (got += data.toString()));
        socket.on("close", () => resolve(got.split("\r\n", 1)[0]!));
      });
    const asked = ["/%zz", "http://[::1"].map((path) =>
      said(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
    );
    expect(await Promise.all(asked)).toEqual(["HTTP/1.1 400 Bad Request", "HTTP/1.1 400 Bad Request"]);
    expect(await said("GET /pipelines HTTP/1.1\r\nHost:")).toBe("HTTP/1.1 408 Request Timeout");
    await control.close();
  }, 15_000);

  it("passes over what is no worker", async () => {
    const folder = join(base, "stale");
    const control = await openControl(folder, "one", answers);
    writeFileSync(join(folder, "dead.sock"), "");
    writeFileSync(join(folder, "notes.txt"), "");
    expect((await askWorkers(folder, "/pipelines")).length).toBe(1);
    await control.close();
    expect(await askWorkers(join(base, "nowhere"), "/")).toEqual([]);
  });
});
