// The state of the page: its shape, how it begins, and what is read from it. Pure.
import type { Link } from "../connection";
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
} from "../protocol";
import { type Chart, EMPTY_CHART } from "../telemetry";
import type { PastTurn } from "../waterfall";

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
  /** The daemon's number, once it was asked for. */
  id: number | null;
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
  /** How many sessions were imported. */
  imported: number | null;
}

/** Something that happened to an engine; `time` in seconds since the epoch, null before the first telemetry. */
export interface EngineEvent {
  key: number;
  time: number | null;
  engine: string;
  state: string;
  fault: Fault | null;
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
  chart: Chart;
  events: EngineEvent[];
  /** The turns that ended while the page was open, newest first. */
  turns: PastTurn[];
  toasts: Toast[];
  nextToast: number;
  voice: Voice;
  /** The turn whose sound is played. */
  speaking: number | null;
  /** The message that is read aloud, and the number that its speech carries. */
  reading: { message: string; turn: number } | null;
  lastTokensPerSecond: number | null;
}

export const NEW = "";

export const initial: State = {
  link: { phase: "connecting", again: false },
  status: null,
  sessions: [],
  current: null,
  messages: { [NEW]: [] },
  gaps: [],
  commands: [],
  telemetry: null,
  chart: EMPTY_CHART,
  events: [],
  turns: [],
  toasts: [],
  nextToast: 1,
  voice: "off",
  speaking: null,
  reading: null,
  lastTokensPerSecond: null,
};

export type Action =
  | { type: "local/link"; link: Link }
  | { type: "local/selected"; session: string | null }
  | { type: "local/loaded"; session: SessionInfo; messages: MessageInfo[] }
  /** `instead`: the message whose place it takes, with all after it. */
  | { type: "local/submitted"; request: number; session: string | null; text: string; instead?: string }
  | { type: "local/listening"; request: number; session: string | null }
  | { type: "local/request_failed"; request: number; fault: Fault }
  | { type: "local/deleted"; session: SessionInfo }
  | { type: "local/imported"; count: number }
  | { type: "local/fault"; fault: Fault }
  | { type: "local/dismissed"; key: number }
  | { type: "local/voice"; voice: Voice }
  | { type: "local/speaking"; turn: number | null }
  | { type: "local/reading"; message: string; turn: number };

export type Happening = ServerMessage | Action;

/** Whether a turn of this message is still running. */
export function running(message: ChatMessage): boolean {
  return ["queued", "hearing", "thinking", "streaming", "recovering"].includes(message.state);
}

/** The messages of the session that is shown. */
export function shown(state: State): ChatMessage[] {
  return state.messages[state.current ?? NEW] ?? [];
}

/** Whether it is this message that is heard now. */
export function isHeard(state: State, message: ChatMessage): boolean {
  const { speaking, reading } = state;
  if (speaking === null || message.role !== "assistant") return false;
  return speaking === message.turn || (reading?.turn === speaking && reading.message === message.key);
}

/** The turn that runs in the session that is shown, or null. */
export function runningTurn(state: State): number | null {
  return shown(state).findLast((message) => message.role === "assistant" && running(message))?.turn ?? null;
}
