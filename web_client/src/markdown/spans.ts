// Markdown inside a line, as data. Addresses are only http, https and mailto; images are never loaded. Pure.

export type Span =
  | { kind: "text" | "code" | "math"; text: string }
  | { kind: "strong" | "emphasis" | "struck"; spans: Span[] }
  | { kind: "link"; url: string; spans: Span[] }
  /** An image that the answer asks for: its words, and where it would have come from. */
  | { kind: "image"; text: string; url: string | null };

const ALLOWED = new Set(["http:", "https:", "mailto:"]);
const DEEPEST = 8;
// What of these begins first is taken; each begins at a mark that plain text seldom has.
const PATTERN = new RegExp(
  [
    "\\\\(?<escaped>[!-/:-@[-`{-~])(?<!\\\\[(\\[])",
    "(?<ticks>`+)(?<code>[^`](?:[^\\n]*?[^`])??)\\k<ticks>(?!`)",
    "\\\\\\((?<math>[^\\n]+?)\\\\\\)",
    "\\$\\$(?<dollars>[^$\\n]+?)\\$\\$",
    "\\$(?<dollar>(?! )[^$\\n]+?(?<! ))\\$(?!\\d)",
    "!\\[(?<alt>[^\\]\\n]*)\\]\\((?<source>[^\\s()]*(?:\\([^\\s()]*\\)[^\\s()]*)*)(?:\\s+\"[^\"\\n]*\")?\\)",
    "\\[(?<label>(?:[^\\[\\]\\n]|\\[[^\\[\\]\\n]*\\])+)\\]\\((?<target>[^\\s()]*(?:\\([^\\s()]*\\)[^\\s()]*)*)(?:\\s+\"[^\"\\n]*\")?\\)",
    "<(?<auto>(?:https?://|mailto:)[^\\s<>]+)>",
    "(?<![\\p{L}\\p{N}])(?<bare>https?://[^\\s<>\"'`*\\p{Script=Hangul}]*[^\\s<>\"'`*.,:;!?)\\]}\\p{Script=Hangul}])",
    "\\*\\*(?<strong>(?=\\S)(?:[^*\\n]|\\*(?!\\*))+?(?<=\\S))\\*\\*(?!\\*)",
    "(?<![\\p{L}\\p{N}_])__(?<strong2>(?=\\S)[^\\n]+?(?<=\\S))__(?![\\p{L}\\p{N}_])",
    "(?<![\\p{L}\\p{N}*])\\*(?<emphasis>(?=\\S)[^*\\n]+?(?<=\\S))\\*(?!\\*)",
    "(?<![\\p{L}\\p{N}_])_(?<emphasis2>(?=\\S)[^_\\n]+?(?<=\\S))_(?![\\p{L}\\p{N}_])",
    "~~(?<struck>(?=\\S)[^~\\n]+?(?<=\\S))~~",
  ].join("|"),
  "gu",
);

/** The address if it is one that a person may be sent to, else null. */
export function safeUrl(address: string): string | null {
  // Browsers drop control characters inside a scheme, so `java\tscript:` is refused before it is read.
  if ([...address].some((character) => character <= " " || character === "\u007f")) return null;
  try {
    const url = new URL(address);
    return ALLOWED.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** The parts of a text. */
export function spans(text: string, depth = 0): Span[] {
  if (depth > DEEPEST) return [{ kind: "text", text }];
  const found: Span[] = [];
  const plain = (words: string) => {
    const last = found.at(-1);
    if (words === "") return;
    if (last?.kind === "text") last.text += words;
    else found.push({ kind: "text", text: words });
  };
  let end = 0;
  for (const match of text.matchAll(PATTERN)) {
    plain(text.slice(end, match.index));
    end = match.index + match[0].length;
    const span = made(match.groups ?? {}, depth);
    if (span === null) plain(match.groups?.["escaped"] ?? match[0]);
    else found.push(span);
  }
  plain(text.slice(end));
  return found;
}

function made(part: Record<string, string | undefined>, depth: number): Span | null {
  const { code, alt, label } = part;
  const math = part["math"] ?? part["dollars"] ?? part["dollar"];
  const strong = part["strong"] ?? part["strong2"];
  const emphasis = part["emphasis"] ?? part["emphasis2"];
  const address = part["auto"] ?? part["bare"];
  if (code !== undefined) return { kind: "code", text: code.replace(/^ (.*\S.*) $/, "$1") };
  if (math !== undefined) return { kind: "math", text: math };
  if (alt !== undefined) return { kind: "image", text: alt, url: safeUrl(part["source"] ?? "") };
  if (label !== undefined) {
    const url = safeUrl(part["target"] ?? "");
    return url === null ? null : { kind: "link", url, spans: spans(label, depth + 1) };
  }
  if (address !== undefined) {
    const url = safeUrl(address);
    return url === null ? null : { kind: "link", url, spans: [{ kind: "text", text: address }] };
  }
  if (strong !== undefined) return { kind: "strong", spans: spans(strong, depth + 1) };
  if (emphasis !== undefined) return { kind: "emphasis", spans: spans(emphasis, depth + 1) };
  if (part["struck"] !== undefined) return { kind: "struck", spans: spans(part["struck"], depth + 1) };
  return null;
}
