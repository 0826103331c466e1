// What a command line waits for before it ends the process. Ends nothing.

/** Resolves once all that was written to standard output and error is out: whatever is buffered for a pipe would be lost. */
export async function outputWritten(): Promise<void> {
  const streams = [process.stdout, process.stderr];
  await Promise.all(
    streams.map((stream) => new Promise<void>((resolve) => stream.write("", () => resolve()))),
  );
}
