// The page's words in English and Korean, and the choice between them.
import { signal } from "@preact/signals";
import type { Text } from "./protocol";
import { en } from "./words/en";
import { ko } from "./words/ko";

export type Language = "en" | "ko";

export type Key = keyof typeof en;

export const WORDS: Record<Language, Record<Key, string>> = { en, ko };
const STORED = "aimark.language";

/** The language for a browser's preference list, in its order. */
export function preferred(languages: readonly string[]): Language {
  for (const language of languages) {
    if (/^ko\b/i.test(language)) return "ko";
    if (/^en\b/i.test(language)) return "en";
  }
  return "en";
}

/** Fills the `{names}` of a sentence. */
export function fill(sentence: string, values: Record<string, string | number> = {}): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export const language = signal<Language>("en");

/** Takes the language from the last choice, or from the browser. */
export function initLanguage(): void {
  const stored = localStorage.getItem(STORED);
  setLanguage(stored === "ko" || stored === "en" ? stored : preferred(navigator.languages), false);
}

export function setLanguage(choice: Language, remember = true): void {
  language.value = choice;
  document.documentElement.lang = choice;
  if (remember) localStorage.setItem(STORED, choice);
}

/** The sentence in the language in force; a view that calls it follows the switch. */
export function t(key: Key, values?: Record<string, string | number>): string {
  return fill(WORDS[language.value][key], values);
}

/** The daemon's sentence in the language in force. */
export function say(text: Text): string {
  return text[language.value];
}
