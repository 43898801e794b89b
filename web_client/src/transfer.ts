// Conversations to and from files: a large import goes in pieces that fit a message. Pure.

const encoder = new TextEncoder();
/** What of the daemon's largest message (1 MiB) one piece of an import may take, as it is written on the wire. */
export const PIECE_BYTES = 900_000;

export type Pieces = { ok: true; pieces: string[] } | { ok: false; reason: "shape" | "size" };

/** The texts to import one after the other. What is no export is one piece: the daemon says what is wrong with it. */
export function pieces(text: string, most = PIECE_BYTES): Pieces {
  if (weight(text) <= most) return { ok: true, pieces: [text] };
  let sessions: unknown;
  let version: unknown;
  try {
    ({ sessions, version } = JSON.parse(text.replace(/^\ufeff/, "")) as { sessions: unknown; version: unknown });
  } catch {
    return { ok: false, reason: "shape" };
  }
  if (!Array.isArray(sessions)) return { ok: false, reason: "shape" };
  const wrap = (part: unknown[]) => JSON.stringify({ version, sessions: part });
  const found: string[] = [];
  let part: unknown[] = [];
  let size = 0;
  for (const session of sessions) {
    const more = weight(JSON.stringify(session));
    if (more > most - 100) return { ok: false, reason: "size" };
    if (size + more > most - 100) {
      found.push(wrap(part));
      part = [];
      size = 0;
    }
    part.push(session);
    size += more + 1;
  }
  if (part.length > 0) found.push(wrap(part));
  return { ok: true, pieces: found };
}

/** Bytes of the text inside a JSON message. */
function weight(text: string): number {
  return encoder.encode(JSON.stringify(text)).length;
}

/** A name that every file system takes. */
export function fileName(title: string, ending: string): string {
  const name = title.normalize("NFC").replace(/[\p{C}\\/:*?"<>|\s]+/gu, " ").trim().slice(0, 80).replace(/[. ]+$/, "");
  return `${name || "AI MARK"}.${ending}`;
}
