// What a person does with the list of conversations.
import { localFault } from "../faults";
import type { ExportSessions, SearchHit, SessionInfo } from "../protocol";
import { fileName, pieces } from "../transfer";
import { ask, MOST_SESSIONS, reload } from "./connected";
import { dispatch, state } from "./core";

export function selectSession(session: string | null): void {
  dispatch({ type: "local/selected", session });
  if (session !== null) void reload(session);
}

/** Selects the session `step` places below the current one in the list. */
export function stepSession(step: 1 | -1): void {
  const { sessions, current } = state.value;
  const at = sessions.findIndex((session) => session.id === current);
  const next = sessions[at < 0 ? (step > 0 ? 0 : sessions.length - 1) : at + step];
  if (next !== undefined) selectSession(next.id);
}

export async function renameSession(session: SessionInfo, title: string): Promise<void> {
  const wanted = title.trim().normalize("NFC");
  if (wanted === "" || wanted === session.title) return;
  await ask({ type: "rename_session", session: session.id, title: wanted });
}

export async function pinSession(session: SessionInfo): Promise<void> {
  await ask({ type: "pin_session", session: session.id, pinned: !session.pinned });
}

export async function deleteSession(session: SessionInfo): Promise<void> {
  const reply = await ask({ type: "delete_session", session: session.id });
  if (reply !== null) dispatch({ type: "local/deleted", session });
}

export async function restoreSession(session: SessionInfo): Promise<void> {
  await ask({ type: "restore_session", session: session.id });
}

/** Where these words are in titles and messages, best first. */
export async function searchSessions(query: string): Promise<SearchHit[]> {
  const reply = await ask({ type: "search_sessions", query: query.normalize("NFC"), limit: 100 });
  return reply?.type === "search_hits" ? reply.hits : [];
}

/** Saves one session, or all, as a file. */
export async function exportSessions(session: SessionInfo | null, format: NonNullable<ExportSessions["format"]>): Promise<void> {
  const chosen = session === null ? {} : { sessions: [session.id] };
  const reply = await ask({ type: "export_sessions", format, ...chosen });
  if (reply?.type !== "export") return;
  const [ending, kind] = format === "json" ? ["json", "application/json"] : ["md", "text/markdown"];
  const address = URL.createObjectURL(new Blob([reply.text], { type: `${kind};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = address;
  link.download = fileName(session?.title ?? "AI MARK", ending);
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Adds the sessions of an export. */
export async function importSessions(file: File): Promise<void> {
  let text: string;
  try {
    text = await file.text();
  } catch (error) {
    return dispatch({ type: "local/fault", fault: localFault("file_unreadable", { name: file.name }, String(error)) });
  }
  const parts = pieces(text);
  const last = parts.pop() ?? "";
  for (const part of parts) {
    if ((await ask({ type: "import_sessions", text: part, more: true })) === null) return;
  }
  const reply = await ask({ type: "import_sessions", text: last });
  const count = reply?.type === "sessions" ? reply.sessions.length : 0;
  await ask({ type: "list_sessions", limit: MOST_SESSIONS });
  if (count > 0) dispatch({ type: "local/imported", count });
}
