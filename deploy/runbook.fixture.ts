// What stands in a runbook to be typed: its shell blocks as simple commands, word by word as a shell would read them. Knows no
// more of a shell than runbooks need; runs nothing.

/** One program and its arguments. */
export interface TypedCommand {
  readonly words: readonly string[];
  /** Where its output goes; files that are there from then on. */
  readonly written: readonly string[];
}

/** The text of all blocks of that language. */
export function blocksOf(markdown: string, language: string): readonly string[] {
  const fenced = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm");
  return [...markdown.matchAll(fenced)].map(([, text = ""]) => text);
}

/** What stands between single backquotes, blocks left out; it may go over the end of a line. */
export function spansOf(markdown: string): readonly string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text.replaceAll("\n", " "));
}

/** A quoted text, a comment, what ends a command, blanks, or a part of a word. */
const token = /'([^']*)'|"((?:\\.|[^"\\])*)"|(#[^\n]*)|(&&|\|\||[;|()&\n])|(\s+)|(\\.|[^\s'"#;|()&\\]+|#)/gy;

type Piece = { readonly kind: "word" | "end" | "gap"; readonly text: string };

function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  for (const [all, single, double, comment, end, blank, plain] of text.matchAll(token)) {
    const isWithin = pieces.at(-1)?.kind === "word";
    if (single !== undefined || double !== undefined || plain !== undefined)
      pieces.push({ kind: "word", text: single ?? double ?? plain ?? "" });
    // Within a word it is no comment.
    else if (comment !== undefined && isWithin) pieces.push({ kind: "word", text: comment });
    else if (end !== undefined) pieces.push({ kind: "end", text: all });
    else if (blank !== undefined) pieces.push({ kind: "gap", text: blank });
  }
  return pieces;
}

function wordsOf(pieces: readonly Piece[]): readonly (readonly string[])[] {
  const commands: string[][] = [[]];
  let begun = false;
  for (const { kind, text } of pieces) {
    const command = commands.at(-1)!;
    if (kind === "end") commands.push([]);
    else if (kind === "word" && begun) command.push(`${command.pop()}${text}`);
    else if (kind === "word") command.push(text);
    begun = kind === "word";
  }
  return commands.filter((words) => words.length > 0);
}

/** Without what stands before a program: variables that are set for it, and sudo. */
function bare(words: readonly string[]): readonly string[] {
  const place = words.findIndex((word) => word !== "sudo" && !/^\w+=/.test(word));
  return place < 0 ? [] : words.slice(place);
}

function typed(words: readonly string[]): TypedCommand {
  const kept: string[] = [];
  const written: string[] = [];
  for (const [place, word] of words.entries()) {
    if (/^>>?$/.test(word)) continue;
    if (/^>>?$/.test(words[place - 1] ?? "")) written.push(word);
    else kept.push(word);
  }
  return { words: bare(kept), written };
}

/** The commands of a script, in order; what a shell is given as a text with -c is read as well. */
export function commandsOf(script: string): readonly TypedCommand[] {
  const commands = wordsOf(piecesOf(script.replaceAll("\\\n", " "))).map(typed);
  return commands.flatMap((command) => {
    const [program, option, text] = command.words;
    return program === "sh" && option === "-c" ? commandsOf(text ?? "") : [command];
  });
}
