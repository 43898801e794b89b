// The keyboard's shortcuts: one list for the keys themselves and for the sheet that shows them. Pure.
import type { Key } from "./i18n";

export type Command = "new" | "search" | "compose" | "previous" | "next" | "machine" | "settings" | "sheet" | "stop" | "speak";

interface Shortcut {
  command: Command;
  label: Key;
  key: string;
  control?: boolean;
  shift?: boolean;
  alt?: boolean;
}

export const SHORTCUTS: readonly Shortcut[] = [
  { command: "new", label: "newChat", key: "o", control: true, shift: true },
  { command: "search", label: "searchSessions", key: "k", control: true },
  { command: "previous", label: "previousChat", key: "ArrowUp", alt: true },
  { command: "next", label: "nextChat", key: "ArrowDown", alt: true },
  { command: "compose", label: "writeMessage", key: "i", control: true },
  { command: "stop", label: "stop", key: "Escape" },
  { command: "speak", label: "toggleVoice", key: "s", control: true, shift: true },
  { command: "machine", label: "machine", key: "m", control: true, shift: true },
  { command: "settings", label: "settings", key: ",", control: true },
  { command: "sheet", label: "shortcuts", key: "/", control: true },
];

/** Keys that work only inside a field or button; they are on the sheet, but not looked for here. */
export const LOCAL_KEYS: readonly { label: Key; keys: readonly string[] }[] = [
  { label: "send", keys: ["Enter"] },
  { label: "newLine", keys: ["Shift", "Enter"] },
  { label: "completeCommand", keys: ["Tab"] },
  { label: "holdToTalk", keys: ["Space"] },
  { label: "renameChat", keys: ["F2"] },
  { label: "removeChat", keys: ["Delete"] },
];

interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  isComposing: boolean;
}

/** What a key press asks for, or null. Nothing while a Hangul syllable is composed. */
export function commandOf(event: Pressed): Command | null {
  if (event.isComposing) return null;
  const found = SHORTCUTS.find(
    (shortcut) =>
      shortcut.key.toLowerCase() === event.key.toLowerCase() &&
      (shortcut.control ?? false) === (event.ctrlKey || event.metaKey) &&
      (shortcut.shift ?? false) === event.shiftKey &&
      (shortcut.alt ?? false) === event.altKey,
  );
  return found?.command ?? null;
}

const SIGNS: Record<string, string> = { ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };

/** The keys of a shortcut as they are shown, in the order in which they are pressed. */
export function keysOf(shortcut: Shortcut, apple: boolean): string[] {
  const keys = [
    shortcut.control && (apple ? "⌘" : "Ctrl"),
    shortcut.alt && (apple ? "⌥" : "Alt"),
    shortcut.shift && "Shift",
    SIGNS[shortcut.key] ?? shortcut.key.toUpperCase(),
  ];
  return keys.filter((key): key is string => typeof key === "string");
}
