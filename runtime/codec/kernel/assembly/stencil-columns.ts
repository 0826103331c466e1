// One value of a stencil over a block of rows that fit it. A row whose value cannot be taken here (not finite, beyond
// the exact integers, text that is not UTF-8) has its cursor put to 0 and is left to others.

import { markValid, placeBytes, placeRow, places } from "./block";
import { codeOf, headOf, multiplierHigh, multiplierLow, nearPlace } from "./dictionary";
import { isUtf8 } from "./msgpack-values";
import { timeMax } from "./numbers";
import { exactMax } from "./scaled-time";
import {
  dictionaryPlaces,
  dictionaryShift,
  formBool,
  formFloat32,
  formFloat64,
  formInteger,
  formText,
  formVarint,
  placeCode,
  placeLength,
  segmentExtra,
  segmentKind,
  segmentShift,
  segmentValid,
  segmentValues,
  slotBool,
  slotInt64,
  slotString,
  slotTime,
  stencilForm,
  stencilLogical,
  stencilOffset,
  stencilSize,
  stencilSpare,
  stencilSwizzle,
  stencilZigzag,
} from "./shape";
import { powers } from "./tables";

let refusals: bool = false;
/** Whether a row was refused since this was asked last. */
export function refused(): bool {
  const some = refusals;
  refusals = false;
  return some;
}

function refuse(place: usize): void {
  store<u32>(place, 0);
  refusals = true;
}

/** Reads the segment's value in every row. Not 0: one more than the length of a text that its dictionary had no room for. */
export function stencilColumn(segment: usize, size: u32): u32 {
  markValid(usize(load<u32>(segment, segmentValid)), size);
  const form = load<u32>(segment, stencilForm);
  switch (form) {
    case formFloat64:
    case formFloat32: {
      const plain = form == formFloat64 && load<i32>(segment, segmentShift) == 0;
      if (plain) float64Column(segment, size);
      else floatColumn(segment, size);
      return 0;
    }
    case formInteger:
      integerColumn(segment, size);
      return 0;
    case formVarint:
      varintColumn(segment, size);
      return 0;
    case formBool:
      boolColumn(segment, size);
      return 0;
    case formText:
      return load<u32>(segment, stencilSize) - 1 < 15 ? textColumn(segment, size) : longTextColumn(segment, size);
    default:
      return defaultColumn(segment, size);
  }
}

// Where the values of a column of numbers go, and what they are multiplied or divided by to be there.
let values: usize = 0;
let integers: bool = false;
let divides: bool = false;
let power: f64 = 1.0;
let most: f64 = 0.0;

function aim(segment: usize): void {
  const kind = load<i32>(segment, segmentKind);
  const shift = load<i32>(segment, segmentShift);
  values = usize(load<u32>(segment, segmentValues));
  integers = kind == slotInt64;
  divides = kind == slotTime && shift < 0;
  power = kind == slotTime ? load<f64>(powers + (usize(abs(shift)) << 3)) : 1.0;
  most = kind == slotTime ? timeMax : f64.MAX_VALUE;
}

/** Numbers, and times in milliseconds: nothing but finite. */
function float64Column(segment: usize, size: u32): void {
  aim(segment);
  const target = values;
  const limit = most;
  const offset = usize(load<u32>(segment, stencilOffset));
  const swizzle = v128.load(segment, stencilSwizzle);
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place)) + offset;
    const value = reinterpret<f64>(i64x2.extract_lane(i8x16.swizzle(v128.load(at), swizzle), 0));
    store<f64>(target + (usize(load<u32>(place, placeRow)) << 3), value);
    // What is not finite is at most nothing.
    if (!(abs(value) <= limit)) refuse(place);
    place += placeBytes;
  }
}

function floatColumn(segment: usize, size: u32): void {
  aim(segment);
  const single = load<u32>(segment, stencilForm) == formFloat32;
  // A fraction of a time means its decimal digits, which are not looked for here.
  const whole = load<i32>(segment, segmentKind) == slotTime && load<i32>(segment, segmentShift) != 0;
  const offset = usize(load<u32>(segment, stencilOffset));
  const swizzle = v128.load(segment, stencilSwizzle);
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place)) + offset;
    const bits = i64x2.extract_lane(i8x16.swizzle(v128.load(at), swizzle), 0);
    const value = single ? f64(reinterpret<f32>(u32(bits))) : reinterpret<f64>(bits);
    const fits = !whole || (nearest(value) == value && abs(value) <= f64(exactMax));
    if (!putScaled(values + (usize(load<u32>(place, placeRow)) << 3), value) || !fits) refuse(place);
    place += placeBytes;
  }
}

/** Stores a number, or a time in milliseconds; false when it is beyond the bounds. */
// @ts-ignore: decorator
@inline
function putScaled(out: usize, value: f64): bool {
  const scaled = divides ? value / power : value * power;
  store<f64>(out, scaled);
  return abs(scaled) <= most;
}

/** Stores an integer; false when its column has no place for it. */
// @ts-ignore: decorator
@inline
function putInteger(out: usize, value: i64): bool {
  if (integers) {
    store<i64>(out, value);
    return true;
  }
  return putScaled(out, f64(value)) && u64(value + exactMax) <= u64(exactMax << 1);
}

/** True where integers of so many bits need only be stored: they are exact, and times in milliseconds. */
function arePlain(segment: usize, bits: u32): bool {
  return bits <= 52 && !integers && power == 1.0 && load<u32>(segment, stencilZigzag) == 0;
}

function integerColumn(segment: usize, size: u32): void {
  aim(segment);
  if (arePlain(segment, load<u32>(segment, stencilSize) << 3)) integersOf(segment, size, true);
  else integersOf(segment, size, false);
}

// @ts-ignore: decorator
@inline
function integersOf(segment: usize, size: u32, plain: bool): void {
  const target = values;
  const offset = usize(load<u32>(segment, stencilOffset));
  const swizzle = v128.load(segment, stencilSwizzle);
  const spare = i64(load<u32>(segment, stencilSpare));
  // An unsigned integer of 64 bits whose top bit is set has no place in a column.
  const unsigned = u64(load<u32>(segment, stencilLogical)) << 63;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place)) + offset;
    const bits = i64x2.extract_lane(i8x16.swizzle(v128.load(at), swizzle), 0);
    const value = (bits << spare) >> spare;
    const out = target + (usize(load<u32>(place, placeRow)) << 3);
    if (plain) store<f64>(out, f64(value));
    else if (!putInteger(out, value) || (u64(value) & unsigned) != 0) refuse(place);
    place += placeBytes;
  }
}

function varintColumn(segment: usize, size: u32): void {
  aim(segment);
  // Seven bits a byte; of one that is narrower, those of four bytes are all there.
  const bits = load<u32>(segment, stencilSize) * 7;
  if (arePlain(segment, bits) && bits <= 60 - load<u32>(segment, stencilSpare)) varintsOf(segment, size, true);
  else varintsOf(segment, size, false);
}

/** Varints of up to eight bytes: seven bits of each are pushed together in three steps. */
// @ts-ignore: decorator
@inline
function varintsOf(segment: usize, size: u32, plain: bool): void {
  const target = values;
  const offset = usize(load<u32>(segment, stencilOffset));
  const bits: u64 = 0x7f7f7f7f7f7f7f7f >> (64 - (u64(load<u32>(segment, stencilSize)) << 3));
  const spare = u64(load<u32>(segment, stencilSpare));
  const logical = load<u32>(segment, stencilLogical) != 0;
  const zigzag = u64(load<u32>(segment, stencilZigzag));
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    let joined = load<u64>(usize(load<u32>(place)) + offset) & bits;
    joined = (joined & 0x007f007f007f007f) | ((joined & 0x7f007f007f007f00) >> 1);
    joined = (joined & 0x00003fff00003fff) | ((joined & 0x3fff00003fff0000) >> 2);
    joined = (joined & 0x000000000fffffff) | ((joined & 0x0fffffff00000000) >> 4);
    const out = target + (usize(load<u32>(place, placeRow)) << 3);
    if (plain) store<f64>(out, f64(i64(joined)));
    else {
      joined <<= spare;
      joined = logical ? joined >> spare : u64(i64(joined) >> i64(spare));
      if (!putInteger(out, i64(joined >> zigzag) ^ (0 - i64(joined & zigzag)))) refuse(place);
    }
    place += placeBytes;
  }
}

function boolColumn(segment: usize, size: u32): void {
  const out = usize(load<u32>(segment, segmentValues));
  const offset = usize(load<u32>(segment, stencilOffset));
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const bit = load<u8>(usize(load<u32>(place)) + offset) & 1;
    store<u8>(out + usize(load<u32>(place, placeRow)), bit);
    place += placeBytes;
  }
}

/** Texts of one to fifteen bytes: mostly the dictionary has them. */
function textColumn(segment: usize, size: u32): u32 {
  const out = usize(load<u32>(segment, segmentValues));
  const offset = usize(load<u32>(segment, stencilOffset));
  const length = load<u32>(segment, stencilSize);
  const dictionary = usize(load<u32>(segment, segmentExtra));
  const table = usize(load<u32>(dictionary, dictionaryPlaces));
  const tableShift = u64(load<u32>(dictionary, dictionaryShift) + 32);
  const ones: v128 = headOf(i8x16.splat(-1), usize(length));
  const low = multiplierLow;
  const high = multiplierHigh;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const at = usize(load<u32>(place));
    const head = v128.and(v128.load(at + offset), ones);
    const found = nearPlace(table, tableShift, head, low, high);
    const code = load<u32>(found, placeCode) - 1;
    store<u32>(out + (usize(load<u32>(place, placeRow)) << 2), code);
    // A text may end in zero bytes here, so its head alone does not tell how long it is.
    const other = u32(v128.any_true(v128.xor(v128.load(found), head))) | (load<u32>(found, placeLength) ^ length);
    if (other != 0 && !putText(place, segment)) return length + 1;
    place += placeBytes;
  }
  return 0;
}

function longTextColumn(segment: usize, size: u32): u32 {
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    if (!putText(place, segment)) return load<u32>(segment, stencilSize) + 1;
    place += placeBytes;
  }
  return 0;
}

/** False when the dictionary has no room. */
function putText(place: usize, segment: usize): bool {
  const at = usize(load<u32>(place));
  if (at == 0) return true;
  const text = at + usize(load<u32>(segment, stencilOffset));
  const length = usize(load<u32>(segment, stencilSize));
  if (!isUtf8(text, text + length)) {
    refuse(place);
    return true;
  }
  const code = codeOf(usize(load<u32>(segment, segmentExtra)), text, length);
  store<i32>(usize(load<u32>(segment, segmentValues)) + (usize(load<u32>(place, placeRow)) << 2), code);
  return code >= 0;
}

/** What a field without presence holds where it is left out: 0, false or "". */
function defaultColumn(segment: usize, size: u32): u32 {
  const kind = load<i32>(segment, segmentKind);
  const out = usize(load<u32>(segment, segmentValues));
  const code = kind == slotString ? codeOf(usize(load<u32>(segment, segmentExtra)), segment, 0) : 0;
  if (code < 0) return 1;
  let place = places;
  for (let i: u32 = 0; i < size; i++) {
    const row = usize(load<u32>(place, placeRow));
    if (kind == slotString) store<i32>(out + (row << 2), code);
    else if (kind == slotBool) store<u8>(out + row, 0);
    else store<u64>(out + (row << 3), 0);
    place += placeBytes;
  }
  return 0;
}
