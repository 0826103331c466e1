// The next instant of event time: for what is open up to a moment and while the watermark is at it,
// because a record of that very time is not late. Arithmetic only.

const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);

/** The first instant after `time`. */
export function justAfter(time: number): number {
  if (time === 0) return Number.MIN_VALUE;
  double[0] = time;
  const step = time > 0 ? 1 : -1;
  const low = halves[0]! + step;
  halves[0] = low;
  // Carried where the low half has come round: from all ones to zero upwards, from zero to all ones downwards.
  if (step === 1 ? halves[0] === 0 : halves[0] === -1) halves[1]! += step;
  return double[0];
}
