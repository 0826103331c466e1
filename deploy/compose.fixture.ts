// What tests with compose files need where no registry can be reached: an image out of a program of this machine.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, realpathSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { dirname, join } from "node:path";

/** A port that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Gives Podman an image of a program and the libraries that it is linked with, under a name of another's. */
export function imageOfProgram(
  program: string,
  name: string,
  folder: string,
  environment: Readonly<Record<string, string>>,
): void {
  const root = join(folder, "image");
  const copy = (from: string, to: string): void => {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    copyFileSync(realpathSync(from), join(root, to));
  };
  copy(program, join("/usr/bin", program.slice(program.lastIndexOf("/") + 1)));
  const libraries = execFileSync("ldd", [program], { encoding: "utf8" });
  for (const [path] of libraries.matchAll(/\/[^\s)]+/g)) copy(path, path);
  mkdirSync(join(root, "tmp"), { recursive: true });
  const archive = execFileSync("tar", ["-C", root, "-cf", "-", "."], { maxBuffer: 1e9 });
  execFileSync("podman", ["import", "--quiet", "--change", "ENV PATH=/usr/bin", "-", name], {
    input: archive,
    env: environment,
    stdio: ["pipe", "ignore", "pipe"],
  });
}
