// A .proto file, and those beside it that it imports, to the messages that it defines. Reads no file by itself: texts
// come in through a function, and what is wrong is told, not thrown. The only importer of protobufjs' parser.

import protobuf from "protobufjs";
import { messageOf } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { ProtoField, ProtoMessage, ProtoValue, Scalar } from "./message.ts";

/** What is wrong with a file, and what to do. */
export interface ProtoFault {
  readonly fault: string;
  readonly hint: string;
}

export interface ProtoFile {
  /** The full names of its messages. */
  readonly names: readonly string[];
  /** One of them; its package may be left out. Null where there is none. The same answer every time. */
  message(name: string): ProtoMessage | ProtoFault | null;
}

/** The text of a file beside the pipeline's own or below; null when it cannot be read. */
export type ProtoText = (path: string) => string | null;

class Refusal extends Error {
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** What `file` defines. */
export function readProto(file: string, textOf: ProtoText): ProtoFile | ProtoFault {
  return attempt(file, () => {
    const root = new protobuf.Root();
    const names = parseInto(root, file, textOf, new Set());
    root.resolveAll();
    const made = new Map<string, ProtoMessage | ProtoFault>();
    const message = (name: string): ProtoMessage | ProtoFault | null => {
      const full = names.includes(name) ? name : names.find((each) => each.endsWith(`.${name}`));
      if (full === undefined) return null;
      if (!made.has(full))
        made.set(
          full,
          attempt(file, () => new Shape().message(root.lookupType(full), [])),
        );
      return made.get(full)!;
    };
    return { names, message };
  });
}

function attempt<T>(file: string, task: () => T): T | ProtoFault {
  try {
    return task();
  } catch (error) {
    if (error instanceof Refusal) return { fault: error.message, hint: error.hint };
    return { fault: `${file}: ${messageOf(error)}`, hint: "write it as protoc would take it" };
  }
}

/** Parses one file and what it imports; the full names of its own messages. */
function parseInto(root: protobuf.Root, path: string, textOf: ProtoText, seen: Set<string>): string[] {
  seen.add(path);
  if (seen.size > limits.proto_files_max)
    throw new Refusal(`${path}: imports lead to more than ${limits.proto_files_max} files`, "import fewer");
  const text = textOf(path);
  if (text === null) {
    const hint =
      "the path is relative to the pipeline's file, and what is imported lies beside the .proto file";
    throw new Refusal(`there is no file ${path} that may be read`, hint);
  }
  let parsed: protobuf.IParserResult;
  const before = new Set(typesIn(root));
  try {
    parsed = protobuf.parse(text, root, { keepCase: true });
  } catch (error) {
    throw new Refusal(`${path}: ${messageOf(error)}`, "write it as protoc would take it");
  }
  const own = typesIn(root).filter((name) => !before.has(name));
  for (const imported of [...(parsed.imports ?? []), ...(parsed.weakImports ?? [])]) {
    const known = protobuf.common.get(imported);
    const beside = path.slice(0, path.lastIndexOf("/") + 1) + imported;
    if (known === null && !/^[^/\\:]+$/.test(imported)) {
      const hint = "only files beside it are read: put a copy there";
      throw new Refusal(`${path}: import "${imported}" leads elsewhere`, hint);
    }
    if (seen.has(known === null ? beside : imported)) continue;
    if (known === null) parseInto(root, beside, textOf, seen);
    else root.addJSON(known.nested ?? {});
    seen.add(imported);
  }
  return own;
}

/** The full names of all messages, without the dot that protobufjs puts before them. */
function typesIn(space: protobuf.NamespaceBase): string[] {
  return space.nestedArray.flatMap((each) => [
    ...(each instanceof protobuf.Type ? [each.fullName.slice(1)] : []),
    ...(each instanceof protobuf.Namespace ? typesIn(each) : []),
  ]);
}

/** A message as plain data. */
class Shape {
  #fields = 0;
  #fieldsInLists = 0;

  /** `around` are the messages that it stands in: inside itself a message stays unread. */
  message(type: protobuf.Type, around: readonly protobuf.Type[], isInList = false): ProtoMessage {
    const fields = type.fieldsArray.map((field) => this.#field(field, [...around, type], isInList));
    return { name: type.fullName.slice(1), fields };
  }

  #field(field: protobuf.Field, around: readonly protobuf.Type[], isInList: boolean): ProtoField {
    const { name, id: number, type } = field;
    const unread = { name, number, presence: field.hasPresence, ...nothing, json: null };
    if (!isInList) this.#count(around);
    // Of what is read as a whole nothing was asked for by name, so that it may lack some of it.
    else if (++this.#fieldsInLists > limits.proto_fields_max) return unread;
    if (field.delimited) return unread;
    const isMany = field.repeated || field.map;
    const value = this.#value(field, around, isInList || isMany);
    if (!isMany && type !== "bytes") return { ...unread, ...value };
    const key = field instanceof protobuf.MapField ? (field.keyType as Scalar) : null;
    const kind = field.map ? "map" : field.repeated ? "list" : "bytes";
    return value === null ? unread : { ...unread, json: { kind, value, key } };
  }

  #count(around: readonly protobuf.Type[]): void {
    if (++this.#fields <= limits.proto_fields_max) return;
    const what = `${around[0]!.name} and the messages in it have more than ${limits.proto_fields_max} fields`;
    throw new Refusal(what, "write a message with those that are needed: others are stepped over");
  }

  /** Null for a message that stands inside itself, or too deep. */
  #value(
    { type, resolvedType }: protobuf.Field,
    around: readonly protobuf.Type[],
    isInList: boolean,
  ): ProtoValue | null {
    if (type === "bytes") return nothing;
    if (resolvedType instanceof protobuf.Enum) {
      const names = Object.entries(resolvedType.valuesById).map(([id, text]) => [Number(id), text] as const);
      return { ...nothing, scalar: "enum", names };
    }
    if (!(resolvedType instanceof protobuf.Type)) return { ...nothing, scalar: type as Scalar };
    const isInside = around.includes(resolvedType) || around.length >= limits.proto_depth_max;
    return isInside ? null : { ...nothing, message: this.message(resolvedType, around, isInList) };
  }
}

const nothing: ProtoValue = { scalar: null, message: null, names: [] };
