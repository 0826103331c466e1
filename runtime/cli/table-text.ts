// Tables of text for people: columns as wide as what stands in them, amounts to the right. Pure.

/** `12,345`, `31 MB`, `4×`, `–`: what is compared by its end. */
const amount = /^(?:[-–]|[\d.,]+(?: ?[A-Za-z%×]{1,3})?)$/;

/** Lines of which the first is the head. */
export function tableText(rows: readonly (readonly string[])[]): string[] {
  const [head = [], ...body] = rows;
  const columns = head.map((title, place) => ({
    width: Math.max(title.length, ...body.map((row) => row[place]?.length ?? 0)),
    isAmount: body.length > 0 && body.every((row) => amount.test(row[place] ?? "")),
  }));
  return rows.map((row) =>
    columns
      .map(({ width, isAmount }, place) =>
        isAmount ? (row[place] ?? "").padStart(width) : (row[place] ?? "").padEnd(width),
      )
      .join("  ")
      .trimEnd(),
  );
}
