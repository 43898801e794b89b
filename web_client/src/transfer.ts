// Conversations to and from files: a large import goes in pieces that fit a message. Pure.

/** Letters of a piece: whatever they are, written as JSON they stay below the daemon's largest message (1 MiB). */
export const PIECE_LETTERS = 150_000;

/** The text cut into parts of at most `most` letters, between characters. */
export function pieces(text: string, most = PIECE_LETTERS): string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length || found.length === 0; ) {
    let end = Math.min(text.length, at + most);
    // Half of a pair would not survive UTF-8.
    if (end < text.length && /[\ud800-\udbff]/.test(text.charAt(end - 1))) end -= 1;
    found.push(text.slice(at, end));
    at = end;
  }
  return found;
}

/** A name that every file system takes. */
export function fileName(title: string, ending: string): string {
  const name = title.normalize("NFC").replace(/[\p{C}\\/:*?"<>|\s]+/gu, " ").trim().slice(0, 80).replace(/[. ]+$/, "");
  return `${name || "AI MARK"}.${ending}`;
}
