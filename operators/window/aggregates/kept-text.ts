// One text a slot, in a buffer of its own: its UTF-16 units as bytes, the low one first, so that every
// text that a column can hold comes back as it was.

import type { AggregateState } from "weir/sdk";

/** Units that one call makes a text of; more arguments than a call takes would fail. */
const unitsPerCall = 4_096;

export function keepText(state: AggregateState, slot: number, text: string): void {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes[i * 2] = unit;
    bytes[i * 2 + 1] = unit >>> 8;
  }
  state.buffers[slot] = bytes;
}

/** The text of a slot that has one. */
export function keptText(state: AggregateState, slot: number): string {
  const bytes = state.buffers[slot] as Uint8Array;
  let text = "";
  for (let from = 0; from < bytes.length; from += unitsPerCall * 2) {
    const units: number[] = [];
    const to = Math.min(bytes.length, from + unitsPerCall * 2);
    for (let i = from; i < to; i += 2) units.push(bytes[i]! | (bytes[i + 1]! << 8));
    text += String.fromCharCode(...units);
  }
  return text;
}
