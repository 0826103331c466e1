// What the .proto files of a pipeline define, as whoever loads the pipeline gives it. Opens no file.

import type { ProtoFile, ProtoFault } from "../codec/protobuf/proto-file.ts";

/** What a .proto file defines, by its path as the pipeline writes it. */
export type ProtoFiles = (path: string) => ProtoFile | ProtoFault;

export const noProtos: ProtoFiles = (path) => ({
  fault: `there is no file ${path} that may be read`,
  hint: "",
});
