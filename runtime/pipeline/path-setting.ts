// The setting that names a file. Reads no file.

import { z } from "zod";

// oxlint-disable-next-line no-control-regex -- these are what is looked for
const control = /[\u0000-\u001f]/;

/** A path; in double quotes YAML makes a tab and a line end of the `\t` and `\n` of one with backslashes. */
export const filePath: z.ZodString = z
  .string()
  .min(1)
  .max(4096)
  .refine(
    (path) => !control.test(path),
    `a path holds no tab and no line end: between double quotes a backslash begins an escape; write '…' around it`,
  );
