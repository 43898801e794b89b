// How messages and their turns change. Pure.
import type { Fault, MessageInfo, ServerMessage, SessionInfo } from "../protocol";
import { type ChatMessage, type Figures, type MessageState, NEW, running, type State } from "./model";
import { withSession } from "./sessions";

export function count(text: string): number {
  let chars = 0;
  for (const _ of text) chars++;
  return chars;
}

function blank(key: string, role: ChatMessage["role"], content: string, state: MessageState): ChatMessage {
  const chars = count(content);
  const nothing = { id: null, turn: null, request: null, fault: null, figures: null, progress: null };
  return { key, role, content, state, chars, ...nothing };
}

function pair(key: string, text: string, state: MessageState): [ChatMessage, ChatMessage] {
  const heard = state === "hearing" ? "hearing" : "complete";
  return [blank(`${key}:user`, "user", text, heard), blank(`${key}:assistant`, "assistant", "", state)];
}

/** An utterance on its way. It takes the place of the message `instead` and of all after it. */
export function addPending(
  state: State,
  session: string | null,
  request: number,
  text: string,
  phase: MessageState,
  instead?: string,
): State {
  const place = session ?? NEW;
  const known = state.messages[place] ?? [];
  const first = known.findIndex((message) => message.key === instead);
  const kept = first < 0 ? known : known.slice(0, first);
  const added = pair(`r${request}`, text, phase).map((message) => ({ ...message, request }));
  return { ...state, messages: { ...state.messages, [place]: [...kept, ...added] } };
}

export function startTurn(state: State, event: Extract<ServerMessage, { type: "turn_started" }>): State {
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
  // Another window asked again in place of something: what is known here is partly gone.
  if (event.replaces != null) return state.gaps.includes(session) ? state : { ...state, gaps: [...state.gaps, session] };
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

export function changeTurn(state: State, turn: number, change: Change): State {
  return changeWhere(state, (message) => message.turn === turn, change);
}

/** Changes the answer of a turn that still runs. */
export function changeAnswer(state: State, turn: number, change: (message: ChatMessage) => ChatMessage): State {
  return changeTurn(state, turn, (message) =>
    message.role === "assistant" && running(message) ? change(message) : message,
  );
}

/** A refused question stays with its reason; speech that gave no question leaves nothing but the toast. */
export function failRequest(state: State, request: number, fault: Fault): State {
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
export function forgetUnheard(state: State): State {
  return changeWhere(
    state,
    (message) => message.request !== null && message.state === "hearing",
    () => null,
  );
}

export function addDelta(state: State, turn: number, at: number, text: string): State {
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

export function endTurn(
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

export function load(state: State, session: SessionInfo, stored: MessageInfo[]): State {
  const known = state.messages[session.id] ?? [];
  const messages = stored.map((info): ChatMessage => {
    const before = known.find((message) => message.turn === (info.turn ?? NaN) && message.role === info.role);
    if (info.state === "streaming" && before?.state === "streaming" && before.content.startsWith(info.content)) {
      return { ...before, id: info.id };
    }
    const phase = info.state === "streaming" && info.content === "" ? "thinking" : (info.state ?? "complete");
    return {
      ...blank(before?.key ?? `m${info.id}`, info.role, info.content, phase),
      id: info.id,
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
