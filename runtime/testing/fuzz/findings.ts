// Inputs that were once taken badly, and what was wrong with that. Each stays: it is tried with every run of the tests.

/** By target, the inputs as base64, each with what it did. */
export const findings: Readonly<Record<string, readonly (readonly [what: string, input: string])[]>> = {
  protobuf: [["a truth value of 40, twice, was false by the kernel", "KCg="]],
};
