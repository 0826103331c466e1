// What passes through of an original CSV line to a sink that has room for it. Cells that nobody
// declared have no type, so each passes as the text that it is; an empty one is null. Only for lines
// that the decoder has accepted; of anything else nothing passes.

import { Buffer } from "node:buffer";
import type { AppendMembers, RestMembers } from "../rest.ts";
import { splitCsvLine } from "./line.ts";

/** The columns of `header` not named in `except`; `write` appends them in the sink's format. */
export function csvRest(
  header: readonly string[],
  except: ReadonlySet<string>,
  write: (members: ReadonlyMap<string, string | null>, append: AppendMembers) => number,
): RestMembers {
  const places = header
    .map((_, place) => place)
    .filter((place) => !except.has(header[place]!) && header.lastIndexOf(header[place]!) === place);
  const members = new Map<string, string | null>();
  return (payload, append) => {
    const line = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString("utf8");
    const cells = splitCsvLine(line);
    if (cells === null || cells.texts.length !== header.length) return 0;
    for (const place of places) {
      const text = cells.texts[place]!;
      members.set(header[place]!, text === "" && cells.quoted?.[place] !== true ? null : text);
    }
    return write(members, append);
  };
}

export function csvRestToJson(header: readonly string[], except: ReadonlySet<string>): RestMembers {
  return csvRest(header, except, (members, append) => {
    let text = "";
    for (const [name, value] of members)
      text += `${text === "" ? "" : ","}${JSON.stringify(name)}:${JSON.stringify(value)}`;
    const bytes = Buffer.from(text);
    if (members.size > 0) append(bytes, 0, bytes.length);
    return members.size;
  });
}
