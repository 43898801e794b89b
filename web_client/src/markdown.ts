// Light Markdown: paragraphs, headings, lists, code and emphasis as data; whatever else is typed stays text. Pure.

export type Block =
  | { kind: "paragraph"; text: string }
  | { kind: "heading"; text: string }
  | { kind: "list"; ordered: boolean; items: string[] }
  | { kind: "code"; language: string; text: string };

export type Span = { kind: "text" | "code" | "strong" | "emphasis"; text: string };

const ITEM = /^\s{0,3}(?:([-*•])|(\d{1,3})[.)])\s+(.*)$/;
const FENCE = /^\s{0,3}```\s*([\w+#.-]*)\s*$/;

/** The blocks of an answer; a code block that is still open at the end is one. */
export function blocks(text: string): Block[] {
  const found: Block[] = [];
  let open: Block | null = null;
  const close = () => {
    if (open !== null) found.push(open);
    open = null;
  };
  let fenced = false;
  for (const line of text.split("\n")) {
    const fence = FENCE.exec(line);
    const block = open as Block | null;
    if (fenced && block?.kind === "code") {
      if (fence !== null && fence[1] === "") {
        fenced = false;
        close();
      } else block.text += block.text === "" ? line : `\n${line}`;
      continue;
    }
    const heading = /^#{1,6}\s+(.*)$/.exec(line);
    const item = ITEM.exec(line);
    if (fence !== null) {
      close();
      open = { kind: "code", language: fence[1] ?? "", text: "" };
      fenced = true;
    } else if (line.trim() === "") close();
    else if (heading !== null) {
      close();
      found.push({ kind: "heading", text: heading[1] ?? "" });
    } else if (item !== null) {
      const ordered = item[2] !== undefined;
      if (block?.kind !== "list" || block.ordered !== ordered) {
        close();
        open = { kind: "list", ordered, items: [item[3] ?? ""] };
      } else block.items.push(item[3] ?? "");
    } else if (block?.kind === "list") block.items[block.items.length - 1] += `\n${line.trim()}`;
    else if (block?.kind === "paragraph") block.text += `\n${line}`;
    else open = { kind: "paragraph", text: line };
  }
  close();
  return found;
}

/** The emphasised and plain parts of one line of text. */
export function spans(text: string): Span[] {
  const found: Span[] = [];
  const pattern = /`([^`\n]+)`|\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*|(?<![\p{L}\p{N}*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?!\*)/gu;
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) found.push({ kind: "text", text: text.slice(end, match.index) });
    if (match[1] !== undefined) found.push({ kind: "code", text: match[1] });
    else if (match[2] !== undefined) found.push({ kind: "strong", text: match[2] });
    else found.push({ kind: "emphasis", text: match[3] ?? "" });
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push({ kind: "text", text: text.slice(end) });
  return found;
}
