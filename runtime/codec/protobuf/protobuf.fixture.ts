// A message with one field of each kind, as text and as protobufjs has it, for this folder's tests.

import protobuf from "protobufjs";
import { PayloadBuilder, type Payloads } from "../../batch/payloads.ts";
import type { ProtoMessage } from "./message.ts";
import { readProto } from "./proto-file.ts";

export const text = `syntax = "proto3";
package test;
enum Mode { IDLE = 0; RUNNING = 1; FAULT = 7; }
message Inner { double x = 1; sint64 y = 2; optional string z = 300; }
message All {
  double d = 1; float f = 2; int32 i32 = 3; int64 i64 = 4; uint32 u32 = 5; uint64 u64 = 6; sint32 s32 = 7;
  sint64 s64 = 8; fixed32 f32 = 9; fixed64 f64 = 10; sfixed32 sf32 = 11; sfixed64 sf64 = 12; bool b = 13;
  string s = 14; Mode mode = 15; optional double od = 16; optional string os = 17; optional bool ob = 18;
  Inner inner = 19; All again = 20; repeated double list = 21; map<string, int32> map = 22; bytes raw = 23;
  oneof either { string left = 24; int64 right = 25; }
}`;

/** The message `name` of the .proto text `of`. */
export function messageOf(of: string, name: string): ProtoMessage {
  const file = readProto("test.proto", () => of);
  if ("fault" in file) throw new Error(file.fault);
  const message = file.message(name);
  if (message === null || "fault" in message) throw new Error(message?.fault ?? "no such message");
  return message;
}

export const all: ProtoMessage = messageOf(text, "test.All");

const root = protobuf.parse(text, { keepCase: true }).root;
root.resolveAll();

/** The same to protobufjs, the oracle. */
export const oracle: protobuf.Type = root.lookupType("test.All");

export function payloadsOf(records: readonly Uint8Array[]): Payloads {
  const builder = new PayloadBuilder(Math.max(records.length, 1), 1e9);
  for (const record of records) builder.add(record, "subject", 0);
  return builder.take();
}
