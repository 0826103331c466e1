// Plain data as bytes and back, as MessagePack. Whoever keeps the bytes knows whether they are whole.

import { Packr } from "msgpackr/pack";
import { messageOf } from "../errors.ts";
import { damaged, type Plain } from "./plain.ts";

// Maps stay maps of the moment: a shared structure would be state of the packer's. A number is never a bigint.
const packr = new Packr({ useRecords: false, int64AsType: "bigint", variableMapSize: true });

/** Memory of its own. */
export function written(data: Plain): Uint8Array {
  return packr.pack(data);
}

/** What `written` was given; bytes in it are views of `bytes`. Throws WEIR_STATE where it cannot be read. */
export function readPlain(bytes: Uint8Array): Plain {
  try {
    return packr.unpack(bytes) as Plain;
  } catch (error) {
    throw damaged(messageOf(error));
  }
}
