// A program that behaves as a driver's worker may: it says what it does, and does what its first argument says.
// Plain JavaScript without any import of the house's, so that it runs wherever there is a Node.

import { spawn } from "node:child_process";
import { copyFileSync, existsSync, renameSync } from "node:fs";

const [behaviour, argument = ""] = process.argv.slice(2);
const say = (text) => process.stdout.write(`${text}\n`);
const stay = () => setInterval(() => undefined, 1_000);
const drain = () => process.on("SIGTERM", () => process.stdout.write("drained\n", () => process.exit(0)));

/** As many children as the system lets it have, at most that many. */
function children(most) {
  let started = 0;
  let left = most;
  const done = (more) => {
    started += more;
    if (--left === 0) say(`${started} children`);
  };
  for (let child = 0; child < most; child++) {
    const process = spawn("/bin/sleep", ["60"], { stdio: "ignore" });
    process.once("spawn", () => done(1));
    process.once("error", () => done(0));
  }
}

function eat() {
  const eaten = [];
  setInterval(() => eaten.push(Buffer.alloc(16 * 1024 * 1024, 1)), 20);
}

const behaviours = {
  serve: () => drain(),
  stubborn: () => process.on("SIGTERM", () => say("asked to end")),
  exit: () => process.exit(Number(argument)),
  crash: () => process.kill(process.pid, "SIGKILL"),
  say: () => {
    for (let line = 1; line <= Number(argument); line++) say(`line ${line}`);
    drain();
  },
  eat: () => eat(),
  children: () => {
    drain();
    children(Number(argument));
  },
  copy: () => {
    drain();
    const copying = setInterval(() => {
      if (!existsSync(`${argument}/given`)) return;
      // Whole at once: whoever waits for it reads it as soon as it is there.
      copyFileSync(`${argument}/given`, `${argument}/taken.new`);
      renameSync(`${argument}/taken.new`, `${argument}/taken`);
      clearInterval(copying);
    }, 50);
  },
  environment: () => {
    say(`${argument}=${process.env[argument] ?? ""}`);
    drain();
  },
};

behaviours[behaviour]();
stay();
say("ready");
