// A plot as SVG text: bars beside each other on a logarithmic scale, since engines differ by factors. Knows
// nothing of benchmarks.

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** The value as it is written at the end of the bar. */
  readonly text: string;
  /** Drawn in the colour that stands out. */
  readonly ours: boolean;
}

const width = 720;
const nameWidth = 170;
const textWidth = 130;
const rowHeight = 24;
const titleHeight = 34;

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The bars of values above 0, longest for the largest. */
export function barPlot(title: string, bars: readonly Bar[]): string {
  const logs = bars.map(({ value }) => Math.log10(value));
  const low = Math.floor(Math.min(...logs) - 0.3);
  const scale = (width - nameWidth - textWidth) / (Math.max(...logs) - low);
  const height = titleHeight + bars.length * rowHeight + 8;
  const rows = bars.map(({ name, text, ours }, place) => {
    const top = titleHeight + place * rowHeight;
    const length = ((logs[place]! - low) * scale).toFixed(1);
    const middle = top + rowHeight / 2 + 4;
    return [
      `<text x="${nameWidth - 8}" y="${middle}" text-anchor="end">${escaped(name)}</text>`,
      `<rect x="${nameWidth}" y="${top + 3}" width="${length}" height="${rowHeight - 6}" fill="${ours ? "#0b7285" : "#adb5bd"}"/>`,
      `<text x="${nameWidth + Number(length) + 6}" y="${middle}">${escaped(text)}</text>`,
    ].join("\n");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="8" y="22" font-weight="bold">${escaped(title)}</text>
${rows.join("\n")}
</svg>
`;
}
