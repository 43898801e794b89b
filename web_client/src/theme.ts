// Colours: as the system, light or dark; the choice is remembered.
import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
export const THEMES: readonly Theme[] = ["system", "light", "dark"];
const STORED = "aimark.theme";

export const theme = signal<Theme>("system");

export function initTheme(): void {
  const stored = localStorage.getItem(STORED);
  setTheme(THEMES.find((known) => known === stored) ?? "system");
}

export function setTheme(choice: Theme): void {
  theme.value = choice;
  document.documentElement.dataset["theme"] = choice;
  localStorage.setItem(STORED, choice);
}
