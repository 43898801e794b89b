// The composer's rules: what may be sent, which key sends, which commands fit what is typed. Pure.
import { localFault } from "./faults";
import { beginsWith, fold } from "./hangul";
import type { CommandInfo, Fault } from "./protocol";

export const MAX_TEXT_CHARS = 100_000;
/** Who types for longer than the daemon waits says so again. */
const TELL_TYPING_MS = 20_000;

export type Verdict = { send: true; text: string } | { send: false; fault: Fault | null };

interface Key {
  key: string;
  shiftKey: boolean;
  isComposing: boolean;
  keyCode: number;
}

/** Whether this key press sends. Enter that ends the composition of a Hangul syllable does not (Safari says 229). */
export function sends(event: Key): boolean {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

/** Whether typing is to be told, `since` milliseconds after it last was: a model that sleeps is loaded meanwhile. */
export function tells(typed: string, since: number): boolean {
  return /^\s*[^\s/／]/.test(typed) && since >= TELL_TYPING_MS;
}

/** Whether the text may be sent; what is empty is not, and needs no word. */
export function judge(typed: string, commands: readonly CommandInfo[]): Verdict {
  const text = typed.trim().normalize("NFC");
  if (text === "") return { send: false, fault: null };
  if (text.length > MAX_TEXT_CHARS) {
    const values = { chars: text.length.toLocaleString(), limit: MAX_TEXT_CHARS.toLocaleString() };
    return { send: false, fault: localFault("text_too_long", values) };
  }
  const line = slashLine(text);
  if (line !== null && line.rest === "" && commandNamed(line.name, commands)?.needs_content === true) {
    return { send: false, fault: localFault("content_missing", { name: line.name }) };
  }
  return { send: true, text };
}

/** The commands whose name, in any language, begins with what is typed after the slash; initial consonants count. */
export function completions(typed: string, commands: readonly CommandInfo[]): CommandInfo[] {
  const match = /^[/／]([^\s/／]*)$/.exec(typed.normalize("NFC"));
  if (match === null) return [];
  const start = fold(match[1] ?? "");
  return commands.filter((command) => spellings(command).some((name) => beginsWith(name, start)));
}

/** The command's name in the person's language. */
export function nameOf(command: CommandInfo, language: string): string {
  return command.names[language]?.[0] ?? command.name;
}

/** The options after the name are no content: `/이미지 --size=big` is still empty. */
function slashLine(text: string): { name: string; rest: string } | null {
  const match = /^[/／]([^\s/／]+)(?:\s+(.*))?$/s.exec(text);
  if (match === null) return null;
  const rest = match[2] ?? "";
  const [before = "", ...after] = ` ${rest} `.split(" -- ");
  const content = before.replace(/(?<=^|\s)--[^\s=]+(?:=(?:"[^"]*"|\S*))?(?=\s|$)/g, "") + after.join(" -- ");
  return { name: match[1] ?? "", rest: content.trim() };
}

function commandNamed(name: string, commands: readonly CommandInfo[]): CommandInfo | undefined {
  return commands.find((command) => spellings(command).includes(fold(name)));
}

function spellings(command: CommandInfo): string[] {
  return [command.name, ...Object.values(command.names).flat()].map(fold);
}
