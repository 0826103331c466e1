// Faults at the very call that a worker makes of the system: by strace, which counts calls of a kind and lets one fail, or end the
// process. Text only; whoever runs a worker under it judges.

/** What a program is run under so that `what` befalls its calls of the kind `call`, or of those only that name one of `paths`. */
export function injecting(call: string, what: string, paths: readonly string[] = []): readonly string[] {
  // Sooner where only the calls of that kind are stopped at; signals are lost then.
  const sooner = what.startsWith("signal") ? [] : ["--seccomp-bpf"];
  const trace = ["-f", ...sooner, "-q", "-o", "/dev/null", "-e", `trace=${call}`];
  const named = paths.flatMap((path) => ["-P", path]);
  return ["strace", ...trace, ...named, "-e", `inject=${call}:${what}`];
}
