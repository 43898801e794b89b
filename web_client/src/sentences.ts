// What a screen reader is told of an answer that is being written: its sentences, each once, when they are whole. Pure.

const END = /[.!?。？！…](?=["'”’)\]]*(?:\s|$))["'”’)\]]*|\n+/gu;

/** Where the last whole sentence of the text ends. The text's own end is none: more may come. */
export function wholeUntil(text: string): number {
  let end = 0;
  for (const match of text.matchAll(END)) {
    const after = match.index + match[0].length;
    if (after < text.length) end = after;
  }
  return end;
}

/** The words without Markdown's marks, as they are read out. */
export function readable(text: string): string {
  return text
    .replace(/```[\s\S]*?(?:```|$)/g, " … ")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/[*_`#>|~]+/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
