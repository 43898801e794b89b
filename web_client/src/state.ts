// The state of the page, and how each message of the daemon or action of the person changes it. Pure.
import type { Link } from "./connection";
import type {
  CommandInfo,
  Fault,
  MessageInfo,
  Notice,
  ServerMessage,
  SessionInfo,
  Status,
  Telemetry,
  Timings,
} from "./protocol";

export type MessageState =
  | "queued"
  | "hearing"
  | "thinking"
  | "streaming"
  | "recovering"
  | "complete"
  | "cancelled"
  | "interrupted"
  | "failed";

export interface ChatMessage {
  /** Stays the same while the message lives, for the view. */
  key: string;
  role: "user" | "assistant" | "system";
  content: string;
  state: MessageState;
  /** Code points in `content`: what the daemon counts in `delta.at`. */
  chars: number;
  turn: number | null;
  /** The request that it began with, while no turn is known. */
  request: number | null;
  fault: Fault | null;
  figures: Figures | null;
  progress: { fraction: number; text: string } | null;
}

export interface Figures {
  tokens: number;
  tokensPerSecond: number;
  droppedTurns: number;
  cutShort: boolean;
  timings: Timings;
}

export interface Toast {
  key: number;
  level: Notice["level"];
  fault: Fault | null;
  /** A deleted session that can be brought back. */
  undo: SessionInfo | null;
}

export type Voice = "off" | "opening" | "live";

export interface State {
  link: Link;
  status: Status | null;
  sessions: SessionInfo[];
  /** The session that is shown; null while a new one has no first message. */
  current: string | null;
  /** Messages by session; those of a session to be made lie under "". */
  messages: Record<string, ChatMessage[]>;
  /** Sessions whose text has a gap: they are to be asked for again. */
  gaps: string[];
  commands: CommandInfo[];
  telemetry: Telemetry | null;
  toasts: Toast[];
  nextToast: number;
  voice: Voice;
  /** The turn whose sound is played. */
  speaking: number | null;
  lastTokensPerSecond: number | null;
}

export const NEW = "";

export const initial: State = {
  link: { phase: "connecting" },
  status: null,
  sessions: [],
  current: null,
  messages: { [NEW]: [] },
  gaps: [],
  commands: [],
  telemetry: null,
  toasts: [],
  nextToast: 1,
  voice: "off",
  speaking: null,
  lastTokensPerSecond: null,
};

export type Action =
  | { type: "local/link"; link: Link }
  | { type: "local/selected"; session: string | null }
  | { type: "local/loaded"; session: SessionInfo; messages: MessageInfo[] }
  | { type: "local/submitted"; request: number; session: string | null; text: string }
  | { type: "local/listening"; request: number; session: string | null }
  | { type: "local/request_failed"; request: number; fault: Fault }
  | { type: "local/deleted"; session: SessionInfo }
  | { type: "local/fault"; fault: Fault }
  | { type: "local/dismissed"; key: number }
  | { type: "local/voice"; voice: Voice }
  | { type: "local/speaking"; turn: number | null };

/** Whether a turn of this message is still running. */
export function running(message: ChatMessage): boolean {
  return ["queued", "hearing", "thinking", "streaming", "recovering"].includes(message.state);
}

/** The messages of the session that is shown. */
export function shown(state: State): ChatMessage[] {
  return state.messages[state.current ?? NEW] ?? [];
}

/** The turn that runs in the session that is shown, or null. */
export function runningTurn(state: State): number | null {
  return shown(state).findLast((message) => message.role === "assistant" && running(message))?.turn ?? null;
}

export function reduce(state: State, event: ServerMessage | Action): State {
  switch (event.type) {
    case "welcome":
      return { ...state, status: event.status };
    case "status":
      return { ...state, status: event.status };
    case "sessions":
      return { ...state, sessions: sorted(event.sessions) };
    case "session":
    case "session_changed":
      return withSession(state, event.session);
    case "commands":
      return { ...state, commands: event.commands };
    case "engine_changed": {
      if (state.status === null) return state;
      const engines = { ...state.status.engines, [event.engine]: event.info };
      return { ...state, status: { ...state.status, engines } };
    }
    case "telemetry":
      return { ...state, telemetry: event };
    case "notice":
      return withToast(state, { level: event.level, fault: event.fault, undo: null });
    case "refused":
      return withToast(failRequest(state, event.id, event.fault), { level: "error", fault: event.fault, undo: null });
    case "turn_started":
      return startTurn(state, event);
    case "heard":
      return changeTurn(state, event.turn, (message) =>
        message.role === "user"
          ? { ...message, content: event.text, chars: count(event.text), state: "complete" }
          : { ...message, state: "thinking" },
      );
    case "delta":
      return addDelta(state, event.turn, event.at, event.text);
    case "interrupted":
      return changeAnswer(state, event.turn, (message) => ({ ...message, state: "recovering", fault: event.fault }));
    case "resumed":
      return changeAnswer(state, event.turn, (message) => ({
        ...message,
        state: message.content === "" ? "thinking" : "streaming",
        fault: null,
      }));
    case "progress":
      return changeTurn(state, event.turn, (message) =>
        message.role === "assistant"
          ? { ...message, progress: { fraction: event.fraction, text: event.text ?? "" } }
          : message,
      );
    case "done": {
      const figures: Figures = {
        tokens: event.tokens ?? 0,
        tokensPerSecond: event.tokens_per_s ?? 0,
        droppedTurns: event.dropped_turns ?? 0,
        cutShort: event.finish === "length",
        timings: event.timings ?? {},
      };
      const next = endTurn(state, event.turn, event.reply, "complete", null, figures);
      return figures.tokensPerSecond > 0 ? { ...next, lastTokensPerSecond: figures.tokensPerSecond } : next;
    }
    case "speech_heard": {
      const heard = event.reply ?? "";
      return changeTurn(state, event.turn, (message) =>
        message.role === "assistant"
          ? { ...message, content: heard, chars: count(heard), state: "cancelled" }
          : message,
      );
    }
    case "cancelled":
      return endTurn(state, event.turn, event.reply ?? "", "cancelled", null, null);
    case "error":
      return withToast(endTurn(state, event.turn, event.reply ?? "", "failed", event.fault, null), {
        level: "error",
        fault: event.fault,
        undo: null,
      });
    case "local/link": {
      const next = { ...state, link: event.link };
      return event.link.phase === "waiting" ? forgetUnheard(next) : next;
    }
    case "local/selected":
      return { ...state, current: event.session };
    case "local/loaded":
      return load(state, event.session, event.messages);
    case "local/submitted":
      return addPending(state, event.session, event.request, event.text, "queued");
    case "local/listening":
      return addPending(state, event.session, event.request, "", "hearing");
    case "local/request_failed":
      return withToast(failRequest(state, event.request, event.fault), {
        level: "error",
        fault: event.fault,
        undo: null,
      });
    case "local/deleted": {
      const next = withSession(state, { ...event.session, deleted: true });
      return withToast(next, { level: "info", fault: null, undo: event.session });
    }
    case "local/fault":
      return withToast(state, { level: "error", fault: event.fault, undo: null });
    case "local/dismissed":
      return { ...state, toasts: state.toasts.filter((toast) => toast.key !== event.key) };
    case "local/voice":
      return { ...state, voice: event.voice };
    case "local/speaking":
      return { ...state, speaking: event.turn };
    default:
      return state;
  }
}

const MOST_TOASTS = 4;

function withToast(state: State, toast: Omit<Toast, "key">): State {
  // The same fault told twice, as an error and as a notice, is one toast.
  const same = toast.fault === null ? -1 : state.toasts.findIndex((known) => known.fault?.code === toast.fault?.code);
  const others = state.toasts.filter((_, index) => index !== same);
  const toasts = [...others, { ...toast, key: state.nextToast }].slice(-MOST_TOASTS);
  return { ...state, toasts, nextToast: state.nextToast + 1 };
}

function sorted(sessions: readonly SessionInfo[]): SessionInfo[] {
  return sessions.filter((session) => !session.deleted).sort((a, b) => b.updated.localeCompare(a.updated));
}

function withSession(state: State, session: SessionInfo): State {
  const others = state.sessions.filter((known) => known.id !== session.id);
  if (!session.deleted) return { ...state, sessions: sorted([session, ...others]) };
  return { ...state, sessions: others, current: state.current === session.id ? null : state.current };
}

function count(text: string): number {
  let chars = 0;
  for (const _ of text) chars++;
  return chars;
}

function blank(key: string, role: ChatMessage["role"], content: string, state: MessageState): ChatMessage {
  const chars = count(content);
  return { key, role, content, state, chars, turn: null, request: null, fault: null, figures: null, progress: null };
}

function pair(key: string, text: string, state: MessageState): [ChatMessage, ChatMessage] {
  const heard = state === "hearing" ? "hearing" : "complete";
  return [blank(`${key}:user`, "user", text, heard), blank(`${key}:assistant`, "assistant", "", state)];
}

function addPending(state: State, session: string | null, request: number, text: string, phase: MessageState): State {
  const place = session ?? NEW;
  const added = pair(`r${request}`, text, phase).map((message) => ({ ...message, request }));
  return { ...state, messages: { ...state.messages, [place]: [...(state.messages[place] ?? []), ...added] } };
}

function startTurn(state: State, event: Extract<ServerMessage, { type: "turn_started" }>): State {
  const { turn, session } = event;
  const request = event.id ?? null;
  const text = event.text ?? "";
  const start = (message: ChatMessage): ChatMessage => {
    if (message.role === "assistant") {
      return { ...message, turn, request: null, state: message.state === "hearing" && !text ? "hearing" : "thinking" };
    }
    const content = text || message.content;
    return { ...message, turn, request: null, content, chars: count(content), state: content ? "complete" : "hearing" };
  };
  for (const [place, messages] of Object.entries(state.messages)) {
    if (request === null || !messages.some((message) => message.request === request)) continue;
    const started = messages.map((message) => (message.request === request ? start(message) : message));
    if (place !== NEW) return { ...state, messages: { ...state.messages, [place]: started } };
    const current = state.current ?? session;
    return { ...state, current, messages: { ...state.messages, [NEW]: [], [session]: started } };
  }
  const known = state.messages[session];
  if (known === undefined || known.some((message) => message.turn === turn)) return state;
  const added = pair(`t${turn}`, text, text ? "thinking" : "hearing").map((message) => ({ ...message, turn }));
  return { ...state, messages: { ...state.messages, [session]: [...known, ...added] } };
}

type Change = (message: ChatMessage) => ChatMessage | null;

/** Applies `change` to the messages that `wanted` picks; null takes the message out. */
function changeWhere(state: State, wanted: (message: ChatMessage) => boolean, change: Change): State {
  for (const [session, messages] of Object.entries(state.messages)) {
    if (!messages.some(wanted)) continue;
    const changed = messages.flatMap((message) => {
      const result = wanted(message) ? change(message) : message;
      return result === null ? [] : [result];
    });
    return { ...state, messages: { ...state.messages, [session]: changed } };
  }
  return state;
}

function changeTurn(state: State, turn: number, change: Change): State {
  return changeWhere(state, (message) => message.turn === turn, change);
}

/** Changes the answer of a turn that still runs. */
function changeAnswer(state: State, turn: number, change: (message: ChatMessage) => ChatMessage): State {
  return changeTurn(state, turn, (message) =>
    message.role === "assistant" && running(message) ? change(message) : message,
  );
}

/** A refused question stays with its reason; speech that gave no question leaves nothing but the toast. */
function failRequest(state: State, request: number, fault: Fault): State {
  return changeWhere(
    state,
    (message) => message.request === request,
    (message) => {
      if (message.state === "hearing") return null;
      return message.role === "user" ? message : { ...message, state: "failed", fault };
    },
  );
}

/** Speech that was on its way when the connection was lost: what came of it is in the daemon's store, if anything. */
function forgetUnheard(state: State): State {
  return changeWhere(
    state,
    (message) => message.request !== null && message.state === "hearing",
    () => null,
  );
}

function addDelta(state: State, turn: number, at: number, text: string): State {
  const place = Object.entries(state.messages).find(([, messages]) =>
    messages.some((message) => message.turn === turn && message.role === "assistant"),
  );
  if (place === undefined) return state;
  const [session, messages] = place;
  let gap = false;
  const changed = messages.map((message) => {
    if (message.turn !== turn || message.role !== "assistant" || !running(message)) return message;
    if (at > message.chars) {
      gap = true;
      return message;
    }
    const added = at === message.chars ? text : [...text].slice(message.chars - at).join("");
    const chars = message.chars + count(added);
    return { ...message, content: message.content + added, chars, state: "streaming" as const, fault: null };
  });
  if (gap) return state.gaps.includes(session) ? state : { ...state, gaps: [...state.gaps, session] };
  return { ...state, messages: { ...state.messages, [session]: changed } };
}

function endTurn(
  state: State,
  turn: number,
  reply: string,
  phase: MessageState,
  fault: Fault | null,
  figures: Figures | null,
): State {
  return changeTurn(state, turn, (message) => {
    if (message.role === "user") {
      return message.content === "" ? null : { ...message, state: "complete" };
    }
    const content = reply || message.content;
    return { ...message, content, chars: count(content), state: phase, fault, figures, progress: null };
  });
}

function load(state: State, session: SessionInfo, stored: MessageInfo[]): State {
  const known = state.messages[session.id] ?? [];
  const messages = stored.map((info): ChatMessage => {
    const before = known.find((message) => message.turn === (info.turn ?? NaN) && message.role === info.role);
    if (info.state === "streaming" && before?.state === "streaming" && before.content.startsWith(info.content)) {
      return before;
    }
    const phase = info.state === "streaming" && info.content === "" ? "thinking" : (info.state ?? "complete");
    return {
      ...blank(before?.key ?? `m${info.id}`, info.role, info.content, phase),
      turn: info.turn ?? null,
      fault: info.fault ?? null,
      figures: before?.figures ?? null,
    };
  });
  // What began while the answer to this request was on its way, and what is not stored yet.
  const isStored = (message: ChatMessage) =>
    messages.some((other) => message.turn !== null && other.turn === message.turn && other.role === message.role);
  const pending = known.filter((message) => (message.request !== null || running(message)) && !isStored(message));
  const next = withSession(state, session);
  const gaps = state.gaps.filter((gap) => gap !== session.id);
  return { ...next, gaps, messages: { ...next.messages, [session.id]: [...messages, ...pending] } };
}
