// Protobuf records of any form, one after the other and field by field: those that fit no stencil. A field is looked
// for behind the one before it, where writers put it. What is odd (a wrong wire type, a group, a value that its column
// cannot take, text that is not UTF-8) leaves the row to the exact reader.

import { codeOf, headOf, multiplierHigh, multiplierLow, nearPlace } from "./dictionary";
import { isUtf8 } from "./msgpack-values";
import { exactMax, putTime } from "./scaled-time";
import {
  dictionaryPlaces,
  dictionaryShift,
  entryChild,
  entryEmpty,
  entryNumber,
  entryPresence,
  entryWire,
  formBool,
  formFloat32,
  formFloat64,
  formInteger,
  formText,
  messageNodes,
  nodeBytes,
  nodeCount,
  nodeEntries,
  nodeNodes,
  nodeOpened,
  placeCode,
  placeLength,
  segmentBytes,
  segmentExtra,
  segmentKind,
  segmentNulls,
  segmentShift,
  segmentValid,
  segmentValues,
  slotBool,
  slotInt64,
  slotString,
  slotTime,
  stencilForm,
  stencilLogical,
  stencilSize,
  stencilSpare,
  stencilZigzag,
  templateBytesMax,
} from "./shape";

let doneRows: u32 = 0;
let neededLength: u32 = 0;
export function messageDone(): u32 {
  return doneRows;
}
export function messageNeeded(): u32 {
  return neededLength;
}

let textMax: u32 = 0;
export function limitMessage(stringBytesMax: u32): void {
  textMax = stringBytesMax;
}

/** Told apart from all rows before it, so that a message that comes twice in one is opened once. */
let rowMark: u32 = 0;

/** As `decode` of index.ts. */
export function decodeMessages(template: usize, rows: usize, count: u32, left: usize, bytes: usize, offsets: usize): u32 {
  let leftCount: u32 = 0;
  const root = usize(load<u32>(template, messageNodes));
  const nodes = load<u32>(root, nodeNodes);
  neededLength = 0;
  for (let node: u32 = 0; node < nodes; node++) forget(root + usize(node) * nodeBytes);
  for (let i: u32 = 0; i < count; i++) {
    const row = usize(load<u32>(rows + (usize(i) << 2)));
    const from = load<u32>(offsets + (row << 2));
    const to = load<u32>(offsets + (row << 2), 4);
    rowMark++;
    for (let node: u32 = 1; node < nodes; node++) clear(root + usize(node) * nodeBytes, row);
    const fits = to - from <= load<u32>(template, templateBytesMax) && message(root, bytes + usize(from), bytes + usize(to), row);
    if (neededLength != 0) {
      doneRows = i;
      return leftCount;
    }
    store<u32>(left + (usize(leftCount) << 2), u32(row));
    leftCount += u32(!fits);
  }
  doneRows = count;
  return leftCount;
}

/** Nothing of this message is there. */
function clear(node: usize, row: usize): void {
  let entry = usize(load<u32>(node, nodeEntries));
  for (let i: u32 = 0; i < load<u32>(node, nodeCount); i++) {
    putNull(entry, row);
    entry += segmentBytes;
  }
}

// @ts-ignore: decorator
@inline
function putNull(entry: usize, row: usize): void {
  if (load<u32>(entry, segmentValid) == 0) return;
  store<u8>(usize(load<u32>(entry, segmentValid)) + row, 0);
  store<u32>(usize(load<u32>(entry, segmentNulls)), 1);
}

/** The message is there, so its fields have their defaults. */
function open(node: usize, row: usize): void {
  if (load<u32>(node, nodeOpened) == rowMark) return;
  store<u32>(node, rowMark, nodeOpened);
  let entry = usize(load<u32>(node, nodeEntries));
  for (let i: u32 = 0; i < load<u32>(node, nodeCount); i++) {
    const valid = usize(load<u32>(entry, segmentValid));
    if (valid != 0 && load<u32>(entry, entryPresence) != 0) putNull(entry, row);
    else if (valid != 0) {
      const kind = load<i32>(entry, segmentKind);
      const values = usize(load<u32>(entry, segmentValues));
      store<u8>(valid + row, 1);
      if (kind == slotString) store<i32>(values + (row << 2), emptyCode(entry));
      else if (kind == slotBool) store<u8>(values + row, 0);
      else store<u64>(values + (row << 3), 0);
    }
    entry += segmentBytes;
  }
}

/** The code of "", looked up once a batch. */
function emptyCode(entry: usize): i32 {
  const known = load<i32>(entry, entryEmpty);
  if (known != 0) return known - 1;
  const code = codeOf(usize(load<u32>(entry, segmentExtra)), entry, 0);
  store<i32>(entry, code + 1, entryEmpty);
  if (code < 0) neededLength = 1;
  return code;
}

/** Dictionaries may have begun anew since the batch before. */
function forget(node: usize): void {
  let entry = usize(load<u32>(node, nodeEntries));
  for (let i: u32 = 0; i < load<u32>(node, nodeCount); i++) {
    store<i32>(entry, 0, entryEmpty);
    entry += segmentBytes;
  }
}

function putCode(entry: usize, text: usize, length: u32, row: usize): void {
  const code = codeOf(usize(load<u32>(entry, segmentExtra)), text, usize(length));
  store<i32>(usize(load<u32>(entry, segmentValues)) + (row << 2), code);
  if (code < 0) neededLength = length + 1;
}

/** Stores the code of a text of one to fifteen bytes; false when the dictionary does not have it, or not near its place. */
// @ts-ignore: decorator
@inline
function putKnown(entry: usize, text: usize, length: usize, out: usize): bool {
  const dictionary = usize(load<u32>(entry, segmentExtra));
  const head = headOf(v128.load(text), length);
  const table = usize(load<u32>(dictionary, dictionaryPlaces));
  const shift = u64(load<u32>(dictionary, dictionaryShift) + 32);
  const found = nearPlace(table, shift, head, multiplierLow, multiplierHigh);
  store<u32>(out, load<u32>(found, placeCode) - 1);
  return !v128.any_true(v128.xor(v128.load(found), head)) && usize(load<u32>(found, placeLength)) == length;
}

/** The varint that was read last. */
let varint: u64 = 0;

/** Where the varint at `p` ends, or 0. */
// @ts-ignore: decorator
@inline
function varintEnd(p: usize, end: usize): usize {
  const first = u64(load<u8>(p));
  if (first < 0x80 && p < end) {
    varint = first;
    return p + 1;
  }
  return longVarintEnd(p, end);
}

function longVarintEnd(p: usize, end: usize): usize {
  let value: u64 = 0;
  for (let i: usize = 0; i < 10 && p + i < end; i++) {
    const byte = u64(load<u8>(p + i));
    value |= (byte & 0x7f) << (u64(i) * 7);
    if (byte >= 0x80) continue;
    varint = value;
    return p + i + 1;
  }
  return 0;
}

/** Reads the message `from … end`; false when the row is to be left alone, or a dictionary has no room. */
function message(node: usize, from: usize, end: usize, row: usize): bool {
  open(node, row);
  const first = usize(load<u32>(node, nodeEntries));
  const last = first + usize(load<u32>(node, nodeCount)) * segmentBytes;
  let entry = first;
  let at = from;
  while (at < end && neededLength == 0) {
    at = varintEnd(at, end);
    if (at == 0 || varint >> 32 != 0 || varint < 8) return false;
    const number = u32(varint >> 3);
    const wire = i32(varint & 7);
    entry = find(first, last, entry, number);
    let to: usize;
    if (wire == 0) to = varintEnd(at, end);
    else if (wire == 1) to = at + 8;
    else if (wire == 5) to = at + 4;
    else if (wire == 2) {
      at = varintEnd(at, end);
      if (at == 0 || varint > u64(end - at)) return false;
      to = at + usize(varint);
    } else return false;
    if (to == 0 || to > end) return false;
    if (first < last && load<u32>(entry, entryNumber) == number) {
      const wanted = load<i32>(entry, entryWire);
      if (wanted >= 0 && wanted != wire) return false;
      const child = usize(load<u32>(entry, entryChild));
      if (child != 0 && !message(child, at, to, row)) return false;
      if (load<u32>(entry, segmentValid) != 0 && !value(entry, at, u32(to - at), row)) return false;
    }
    at = to;
  }
  return neededLength == 0;
}

/** The entry of the field, or any other. */
// @ts-ignore: decorator
@inline
function find(first: usize, last: usize, entry: usize, number: u32): usize {
  let at = entry;
  while (at < last && load<u32>(at, entryNumber) != number) at += segmentBytes;
  if (at < last) return at;
  at = first;
  while (at < entry && load<u32>(at, entryNumber) != number) at += segmentBytes;
  return at;
}

function value(entry: usize, p: usize, length: u32, row: usize): bool {
  store<u8>(usize(load<u32>(entry, segmentValid)) + row, 1);
  const values = usize(load<u32>(entry, segmentValues));
  switch (load<u32>(entry, stencilForm)) {
    case formText:
      if (length - 1 < 15 && putKnown(entry, p, usize(length), values + (row << 2))) return true;
      if (length > textMax || !isUtf8(p, p + usize(length))) return false;
      putCode(entry, p, length, row);
      return neededLength == 0;
    case formBool:
      store<u8>(values + row, u8(varint != 0));
      return true;
    case formFloat64:
      return float(entry, load<f64>(p), values + (row << 3));
    case formFloat32:
      return float(entry, f64(load<f32>(p)), values + (row << 3));
    case formInteger:
      varint = load<u32>(entry, stencilSize) == 8 ? load<u64>(p) : u64(load<u32>(p));
      break;
  }
  const spare = u64(load<u32>(entry, stencilSpare));
  const logical = load<u32>(entry, stencilLogical) != 0;
  const zigzag = u64(load<u32>(entry, stencilZigzag));
  const bits = varint << spare;
  const joined = logical ? bits >> spare : u64(i64(bits) >> i64(spare));
  const whole = i64(joined >> zigzag) ^ (0 - i64(joined & zigzag));
  return (!logical || zigzag != 0 || whole >= 0) && integer(entry, whole, values + (row << 3));
}

function float(entry: usize, number: f64, out: usize): bool {
  // A fraction of a time means its decimal digits, which are not looked for here.
  if (load<i32>(entry, segmentShift) != 0 && (nearest(number) != number || abs(number) > f64(exactMax))) return false;
  return abs(number) <= f64.MAX_VALUE && scaled(entry, number, out);
}

function integer(entry: usize, whole: i64, out: usize): bool {
  if (load<i32>(entry, segmentKind) == slotInt64) {
    store<i64>(out, whole);
    return true;
  }
  return u64(whole + exactMax) <= u64(exactMax << 1) && scaled(entry, f64(whole), out);
}

function scaled(entry: usize, number: f64, out: usize): bool {
  if (load<i32>(entry, segmentKind) == slotTime) return putTime(number, load<i32>(entry, segmentShift), out);
  store<f64>(out, number);
  return true;
}
