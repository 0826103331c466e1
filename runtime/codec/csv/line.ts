// One CSV record to its cells and back, as RFC 4180 has it: comma, double quotes, quotes doubled.
// Knows no types and no header. A record may hold line ends inside quotes; what cuts a stream into
// records is not decided here.

/** The cells of one line; null when its quoting is broken. A line end at its end is not part of it. */
export function parseCsvLine(text: string): string[] | null {
  return splitCsvLine(text)?.texts ?? null;
}

/** The texts of the cells, and which of them stood in quotes: an empty text does, a null does not. */
export interface CsvCells {
  readonly texts: string[];
  /** By cell; null when none did. */
  readonly quoted: readonly boolean[] | null;
}

export function splitCsvLine(line: string): CsvCells | null {
  const text = withoutLineEnd(line);
  if (!text.includes('"'))
    return text.includes("\n") || text.includes("\r") ? null : { texts: text.split(","), quoted: null };
  const texts: string[] = [];
  const quoted: boolean[] = [];
  for (let position = 0; ; ) {
    const end = cellEnd(text, position);
    if (end < 0) return null;
    const inQuotes = text[position] === '"';
    quoted.push(inQuotes);
    texts.push(
      inQuotes ? text.slice(position + 1, end - 1).replaceAll('""', '"') : text.slice(position, end),
    );
    if (end === text.length) return { texts, quoted };
    position = end + 1;
  }
}

/** True for a line that ends inside quotes, as the first part of a record does whose cell holds a line end. */
export function endsInQuotes(line: string): boolean {
  const text = withoutLineEnd(line);
  for (let position = 0; position <= text.length; ) {
    const end = cellEnd(text, position);
    if (end < 0) return text[position] === '"' && closingQuote(text, position) < 0;
    position = end + 1;
  }
  return false;
}

/** Where the quote stands that closes the cell which begins with one at `start`; -1 where none does. */
function closingQuote(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1);
  while (quote >= 0 && text[quote + 1] === '"') quote = text.indexOf('"', quote + 2);
  return quote;
}

/** Where the cell that begins at `start` ends; -1 when it is malformed. */
function cellEnd(text: string, start: number): number {
  if (text[start] !== '"') {
    const comma = text.indexOf(",", start);
    const end = comma < 0 ? text.length : comma;
    return /["\r\n]/.test(text.slice(start, end)) ? -1 : end;
  }
  const quote = closingQuote(text, start);
  if (quote < 0) return -1;
  return quote + 1 === text.length || text[quote + 1] === "," ? quote + 1 : -1;
}

function withoutLineEnd(line: string): string {
  if (line.endsWith("\r\n")) return line.slice(0, -2);
  return line.endsWith("\n") || line.endsWith("\r") ? line.slice(0, -1) : line;
}

/** A text as a cell: quoted where it must be, and when it is empty, because an empty cell is null. */
export function quoteCsvText(text: string): string {
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
