// Asks a virtual machine of QEMU one thing by its monitor (QMP), on its socket file, with a deadline. Every question
// has a connection of its own: a machine is asked seldom, and a connection that is kept would have to be kept alive.

import type { Clock } from "../../clock.ts";
import { messageOf, WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";

const { connect } = process.getBuiltinModule("node:net");

/** `gone`: nobody listens, so that the machine has ended. `silent`: it may be there. */
export type QmpFault = "gone" | "silent" | "refused";

export class QmpError extends WeirError {
  readonly fault: QmpFault;

  constructor(fault: QmpFault, message: string) {
    super("WEIR_MACHINE", message, { remedy: "see whether its qemu process still runs, and what it says" });
    this.fault = fault;
  }
}

interface Line {
  readonly QMP?: unknown;
  readonly return?: unknown;
  readonly error?: unknown;
  readonly id?: unknown;
}

/** Splits what comes into lines of JSON; events, which have no id, are for nobody here. */
class Lines {
  #rest = "";

  push(chunk: string): readonly Line[] {
    this.#rest += chunk;
    if (this.#rest.length > limits.machine_answer_bytes_max) throw new Error("it is too long");
    const lines = this.#rest.split("\n");
    this.#rest = lines.pop() ?? "";
    return lines
      .filter((line) => line.trim() !== "")
      .map((line) => {
        const parsed: unknown = JSON.parse(line);
        if (typeof parsed !== "object" || parsed === null) throw new Error("a line is no object");
        return parsed;
      });
  }
}

/** Runs one command, with what it is given, and resolves with what it returns; rejects with a QmpError. */
export function askMachine(
  socketPath: string,
  command: string,
  clock: Clock,
  given: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const lines = new Lines();
  const socket = connect(socketPath);
  const fail = (fault: QmpFault, why: string): void => {
    reject(new QmpError(fault, `the virtual machine at ${socketPath} gave no answer to ${command}: ${why}`));
    socket.destroy();
  };
  const cancel = clock.after(limits.machine_answer_ms_max, () =>
    fail("silent", `none in ${limits.machine_answer_ms_max} ms`),
  );
  const say = (execute: string, id: string, what: Readonly<Record<string, string>> = {}): void =>
    void socket.write(`${JSON.stringify({ execute, id, arguments: what })}\n`);
  const take = (line: Line): void => {
    // First it greets, then its commands have to be asked for, then it takes one.
    if (line.QMP !== undefined) say("qmp_capabilities", "begin");
    else if (line.error !== undefined) fail("refused", JSON.stringify(line.error));
    else if (line.id === "begin") say(command, "command", given);
    else if (line.id === "command") {
      resolve(line.return);
      socket.end();
    }
  };
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    try {
      for (const line of lines.push(chunk)) take(line);
    } catch (error) {
      fail("silent", messageOf(error));
    }
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    const isGone = error.code === "ENOENT" || error.code === "ECONNREFUSED";
    fail(isGone ? "gone" : "silent", error.code ?? error.message);
  });
  socket.on("close", () => fail("silent", "it hung up"));
  return promise.finally(cancel);
}
