// The page's one connection: what is asked for when the daemon welcomes it, and again whenever it comes back.
import { effect } from "@preact/signals";
import { browserSurroundings, Connection, ConnectionLost, type Outgoing } from "../connection";
import { localFault } from "../faults";
import { decodeFrame, FrameKind } from "../frames";
import { language } from "../i18n";
import { login } from "../login";
import type { ServerMessage } from "../protocol";
import { dismiss, dispatch, enqueue, state } from "./core";
import { hear, player } from "./sound";

const TOAST_MS = 10_000;
const ERROR_TOAST_MS = 20_000;
const GAP_PAUSE_MS = 500;
export const MOST_SESSIONS = 10_000;

const whenLost: (() => void)[] = [];

export const connection = new Connection(
  browserSurroundings(() => language.value),
  {
    link: (link) => {
      if (link.phase === "waiting") for (const action of whenLost) action();
      dispatch({ type: "local/link", link });
    },
    welcomed: () => {
      void ask({ type: "subscribe", topics: ["turns", "engines", "sessions", "notices", "telemetry", "plugins"] });
      void ask({ type: "list_sessions", limit: MOST_SESSIONS });
      void ask({ type: "list_commands" });
      const { current } = state.value;
      if (current !== null) void reload(current);
    },
    message: (message) => {
      hear(message);
      if (message.type === "sessions_imported") void ask({ type: "list_sessions", limit: MOST_SESSIONS });
      enqueue(message);
    },
    frame: (data) => {
      const frame = decodeFrame(data);
      if (frame?.kind === FrameKind.speech) player.play(frame.stream, frame.samples);
    },
  },
);

/** Runs `action` whenever the connection is lost. */
export function onLost(action: () => void): void {
  whenLost.push(action);
}

export function reconnect(): void {
  connection.connect();
}

/** Asks and gives the answer, or null after a refusal (its toast is there already) or a lost connection. */
export async function ask(message: Outgoing): Promise<ServerMessage | null> {
  try {
    const reply = await connection.request(message).reply;
    return reply.type === "refused" ? null : reply;
  } catch (error) {
    if (error instanceof ConnectionLost) dispatch({ type: "local/fault", fault: localFault("connection_lost") });
    return null;
  }
}

/** Asks for a session and its messages again. */
export async function reload(session: string): Promise<void> {
  const reply = await ask({ type: "show_session", session });
  if (reply?.type !== "session") return;
  dispatch({ type: "local/loaded", session: reply.session, messages: reply.messages ?? [] });
}

/** Starts the page: logs in with the code in the address, then connects. */
export async function start(): Promise<void> {
  const outcome = await login();
  if (outcome === "refused") dispatch({ type: "local/fault", fault: localFault("login_refused") });
  connection.connect();
  addEventListener("online", reconnect);
  addEventListener("pointerdown", () => player.unlock(), { capture: true });
  addEventListener("keydown", () => player.unlock(), { capture: true });
  addEventListener("hashchange", () => void login().then(reconnect));
  endToasts();
  closeGaps();
}

/** Errors stay longer; what failed is also said in the conversation itself. */
function endToasts(): void {
  const timed = new Set<number>();
  effect(() => {
    for (const { key, level } of state.value.toasts) {
      if (timed.has(key)) continue;
      timed.add(key);
      setTimeout(() => dismiss(key), level === "error" ? ERROR_TOAST_MS : TOAST_MS);
    }
  });
}

function closeGaps(): void {
  let paused = false;
  effect(() => {
    const session = state.value.gaps[0];
    if (session === undefined || paused || !connection.open) return;
    paused = true;
    void reload(session).finally(() => setTimeout(() => (paused = false), GAP_PAUSE_MS));
  });
}
