import { afterAll, expect, test } from "vitest";
import { freePort } from "../../runtime/connect/nats-server.ts";
import { Served, type Service } from "./served.ts";

const folder = process.cwd();
const echo = `require("http").createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    response.statusCode = request.url === "/no" ? 400 : 200;
    response.end(request.url === "/text" ? "plain" : JSON.stringify({ method: request.method, body }));
  });
}).listen(Number(process.env.PORT), "127.0.0.1")`;

async function service(text: string): Promise<Service> {
  const port = await freePort();
  const parameters = ["-e", text];
  return {
    program: process.execPath,
    parameters,
    environment: { PORT: String(port) },
    folder,
    port,
    ready: "/ready",
  };
}

let served: Served | null = null;
afterAll(() => served?.end());

test("a server is waited for, asked, and its refusals are errors with what it said", async () => {
  served = await Served.start(await service(echo));
  expect(await served.ask({ method: "POST", path: "/x", body: { a: 1 } })).toEqual({
    method: "POST",
    body: '{"a":1}',
  });
  expect(await served.ask({ method: "GET", path: "/text" })).toBe("plain");
  await expect(served.ask({ method: "GET", path: "/no" })).rejects.toThrow(/GET \/no: 400 \{"method"/);
});

test("one that ends instead is an error with what it wrote", async () => {
  const ending = await service(`console.error("no port"); process.exitCode = 3`);
  await expect(Served.start(ending)).rejects.toThrow(/ended with 3\nno port/);
  const nothing = { ...ending, program: "/nowhere/at/all" };
  await expect(Served.start(nothing)).rejects.toThrow(/ENOENT/);
});
