// Which of the page's own surfaces are open: the drawer of chats, and the dialogs.
import { signal } from "@preact/signals";

export type Dialog = "machine" | "settings" | "shortcuts";

/** Whether the list of chats is open where there is no room for it beside the conversation. */
export const drawer = signal(false);
export const dialog = signal<Dialog | null>(null);
