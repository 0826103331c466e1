// What the calls of an operator may return. A promise of one that is `async` is refused: what it does later, it does in the middle of
// other calls, where nothing of it can be counted or kept. Calls nothing.

export function waits(call: string): TypeError {
  return new TypeError(`${call} returned a promise: an operator waits for nothing, so it is not async`);
}

/** How far an operator has come that was told of `watermark`. */
export function reached(returned: unknown, watermark: number): number {
  if (returned instanceof Promise) throw waits("onWatermark");
  return typeof returned === "number" ? returned : watermark;
}
