// How the list of sessions and the toasts change. Pure.
import type { SessionInfo } from "../protocol";
import type { State, Toast } from "./model";

const MOST_TOASTS = 4;

/** Shows a toast; the same fault told twice, as an error and as a notice, is one toast. */
export function withToast(state: State, toast: Partial<Toast> & Pick<Toast, "level">): State {
  const fault = toast.fault ?? null;
  const same = fault === null ? -1 : state.toasts.findIndex((known) => known.fault?.code === fault.code);
  const others = state.toasts.filter((_, index) => index !== same);
  const added: Toast = { undo: null, imported: null, ...toast, fault, key: state.nextToast };
  return { ...state, toasts: [...others, added].slice(-MOST_TOASTS), nextToast: state.nextToast + 1 };
}

/** As they are listed: pinned ones, then the others, last used first. */
export function sorted(sessions: readonly SessionInfo[]): SessionInfo[] {
  return sessions
    .filter((session) => !session.deleted)
    .sort((a, b) => Number(b.pinned ?? false) - Number(a.pinned ?? false) || b.updated.localeCompare(a.updated));
}

export function withSession(state: State, session: SessionInfo): State {
  const others = state.sessions.filter((known) => known.id !== session.id);
  if (!session.deleted) return { ...state, sessions: sorted([session, ...others]) };
  return { ...state, sessions: others, current: state.current === session.id ? null : state.current };
}
