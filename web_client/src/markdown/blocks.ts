// Markdown's blocks as data. No HTML: whatever is no Markdown stays the text that it is. Pure.

export type Align = "left" | "center" | "right" | null;

export interface Item {
  blocks: Block[];
  /** Whether the box of a task is ticked; null for an item without one. */
  ticked: boolean | null;
}

export type Block =
  | { kind: "paragraph"; text: string }
  | { kind: "heading"; level: number; text: string }
  | { kind: "list"; ordered: boolean; start: number; items: Item[] }
  | { kind: "quote"; blocks: Block[] }
  | { kind: "code"; language: string; text: string; open: boolean }
  | { kind: "table"; align: Align[]; head: string[]; rows: string[][] }
  | { kind: "math"; text: string; open: boolean }
  | { kind: "rule" };

/** What was made of a text; `starts` are the offsets at which its blocks begin. */
export interface Parsed {
  text: string;
  blocks: readonly Block[];
  starts: readonly number[];
}

export const NOTHING: Parsed = { text: "", blocks: [], starts: [] };

const ITEM = /^(\s*)(?:([-*+•])|(\d{1,9})[.)])(?:\s+(.*))?$/;
const FENCE = /^(\s{0,3})(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/;
const HEADING = /^\s{0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$/;
const RULE = /^\s{0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^\s{0,3}>\s?/;
const DIVIDER = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
const DEEPEST = 12;

/** Blocks that the next words can still change: the last one, and the one before that it may turn out to belong to. */
const OPEN_BLOCKS = 2;

/** The text's blocks. When `before` is of a beginning of this text, all its blocks but the open ones are kept. */
export function extend(before: Parsed, text: string): Parsed {
  const keep = text.startsWith(before.text) ? Math.max(0, before.blocks.length - OPEN_BLOCKS) : 0;
  const from = keep > 0 ? (before.starts[keep] ?? 0) : 0;
  const found = before.blocks.slice(0, keep);
  const starts = before.starts.slice(0, keep);
  const lines = text.slice(from).split("\n");
  const offsets = [from];
  for (const line of lines) offsets.push((offsets.at(-1) ?? 0) + line.length + 1);
  let at = 0;
  while (at < lines.length) {
    if (lines[at]?.trim() === "") {
      at++;
      continue;
    }
    const [block, next] = blockAt(lines, at, 0);
    starts.push(offsets[at] ?? 0);
    found.push(block);
    at = next;
  }
  return { text, blocks: found, starts };
}

/** The blocks of a whole text. */
export function blocks(text: string): Block[] {
  return [...extend(NOTHING, text).blocks];
}

function inner(lines: string[], depth: number): Block[] {
  if (depth > DEEPEST) return [{ kind: "paragraph", text: lines.join("\n") }];
  const found: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at]?.trim() === "") at++;
    else {
      const [block, next] = blockAt(lines, at, depth);
      found.push(block);
      at = next;
    }
  }
  return found;
}

/** The block that begins at a line that is not blank, and the line after it. */
function blockAt(lines: string[], at: number, depth: number): [Block, number] {
  const line = lines[at] ?? "";
  const fence = FENCE.exec(line);
  if (fence !== null) return codeAt(lines, at, fence);
  const math = mathOpened(line);
  if (math !== null) return mathAt(lines, at, math.close, math.first);
  const heading = HEADING.exec(line);
  if (heading !== null) return [{ kind: "heading", level: heading[1]?.length ?? 1, text: heading[2] ?? "" }, at + 1];
  if (RULE.test(line)) return [{ kind: "rule" }, at + 1];
  if (QUOTE.test(line)) {
    const end = runEnd(lines, at, (other) => QUOTE.test(other));
    const quoted = lines.slice(at, end).map((other) => other.replace(QUOTE, ""));
    return [{ kind: "quote", blocks: inner(quoted, depth + 1) }, end];
  }
  if (ITEM.test(line)) return listAt(lines, at, depth);
  if (isTable(lines, at)) return tableAt(lines, at);
  const end = runEnd(lines, at + 1, (other, index) => other.trim() !== "" && !begins(lines, index));
  return [{ kind: "paragraph", text: lines.slice(at, end).map((other) => other.trimStart()).join("\n") }, end];
}

/** Whether a line ends the paragraph before it. A number other than 1 does not: it may be a year. */
function begins(lines: string[], at: number): boolean {
  const line = lines[at] ?? "";
  const item = ITEM.exec(line);
  if (item !== null && item[4] !== undefined && (item[3] === undefined || item[3] === "1")) return true;
  return (
    [FENCE, HEADING, RULE, QUOTE].some((pattern) => pattern.test(line)) ||
    mathOpened(line) !== null ||
    isTable(lines, at)
  );
}

function runEnd(lines: string[], from: number, wanted: (line: string, index: number) => boolean): number {
  let end = from;
  while (end < lines.length && wanted(lines[end] ?? "", end)) end++;
  return end;
}

function codeAt(lines: string[], at: number, [, indent = "", mark = "", language = ""]: RegExpExecArray): [Block, number] {
  const bare = new RegExp(`^\\s{0,3}${mark[0] === "`" ? "`" : "~"}{${mark.length},}\\s*$`);
  const end = runEnd(lines, at + 1, (line) => !bare.test(line));
  const text = lines.slice(at + 1, end).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
  const open = end >= lines.length;
  return [{ kind: "code", language, text: text.join("\n"), open }, open ? end : end + 1];
}

/** The formula that a line begins, unless words follow it on the same line: then it is a part of them. */
function mathOpened(line: string): { close: string; first: string } | null {
  const match = /^\s{0,3}(\$\$|\\\[)(.*)$/.exec(line);
  if (match === null) return null;
  const close = match[1] === "$$" ? "$$" : "\\]";
  const first = (match[2] ?? "").trimEnd();
  return first.slice(0, -close.length).includes(close) || (first.includes(close) && !first.endsWith(close)) ? null : { close, first };
}

function mathAt(lines: string[], at: number, close: string, first: string): [Block, number] {
  if (first.endsWith(close)) return [{ kind: "math", text: first.slice(0, -close.length).trim(), open: false }, at + 1];
  const end = runEnd(lines, at + 1, (line) => !line.trimEnd().endsWith(close));
  const open = end >= lines.length;
  const last = open ? "" : (lines[end] ?? "").trimEnd().slice(0, -close.length);
  const text = [first, ...lines.slice(at + 1, end), last].join("\n").trim();
  return [{ kind: "math", text, open }, open ? end : end + 1];
}

function listAt(lines: string[], at: number, depth: number): [Block, number] {
  const first = ITEM.exec(lines[at] ?? "");
  const ordered = first?.[3] !== undefined;
  const margin = first?.[1]?.length ?? 0;
  const items: Item[] = [];
  let end = at;
  while (end < lines.length) {
    const item = ITEM.exec(lines[end] ?? "");
    if (item === null || (item[3] !== undefined) !== ordered || (item[1]?.length ?? 0) > margin + 1) break;
    if (RULE.test(lines[end] ?? "")) break;
    const next = itemEnd(lines, end + 1, margin);
    const width = (item[1]?.length ?? 0) + (item[2] ?? `${item[3]}.`).length + 1;
    const rest = lines.slice(end + 1, next).map((line) => line.replace(new RegExp(`^\\s{0,${width}}`), ""));
    const task = /^\[([ xX])\]\s+(.*)$/.exec(item[4] ?? "");
    const text = task?.[2] ?? item[4] ?? "";
    items.push({ blocks: inner([text, ...rest], depth + 1), ticked: task === null ? null : task[1] !== " " });
    end = next;
    const after = runEnd(lines, end, (line) => line.trim() === "");
    if (after < lines.length && ITEM.test(lines[after] ?? "")) end = after;
  }
  return [{ kind: "list", ordered, start: Number(first?.[3] ?? 1), items }, end];
}

/** Where an item ends: at the next item, or after a blank line that no indented line follows. */
function itemEnd(lines: string[], from: number, margin: number): number {
  let end = from;
  while (end < lines.length) {
    const line = lines[end] ?? "";
    if (line.trim() === "") {
      const after = runEnd(lines, end, (other) => other.trim() === "");
      const indent = /^\s*/.exec(lines[after] ?? "")?.[0].length ?? 0;
      if (after >= lines.length || indent < margin + 2) return end;
      end = after;
      continue;
    }
    const indent = /^\s*/.exec(line)?.[0].length ?? 0;
    if (indent < margin + 2 && (ITEM.test(line) || begins(lines, end))) return end;
    end++;
  }
  return end;
}

function isTable(lines: string[], at: number): boolean {
  const divider = lines[at + 1];
  if (divider === undefined || !lines[at]?.includes("|") || !divider.includes("-") || !DIVIDER.test(divider)) return false;
  return cells(lines[at] ?? "").length === cells(divider).length;
}

function tableAt(lines: string[], at: number): [Block, number] {
  const head = cells(lines[at] ?? "");
  const align = cells(lines[at + 1] ?? "").map((cell): Align => {
    if (cell.startsWith(":") && cell.endsWith(":")) return "center";
    return cell.endsWith(":") ? "right" : cell.startsWith(":") ? "left" : null;
  });
  const end = runEnd(lines, at + 2, (line) => line.includes("|"));
  const rows = lines.slice(at + 2, end).map((line) => {
    const row = cells(line);
    return head.map((_, index) => row[index] ?? "");
  });
  return [{ kind: "table", align, head, rows }, end];
}

function cells(line: string): string[] {
  const inside = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}
