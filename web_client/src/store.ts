// The store: the page's state as a signal, and what a person can do. It joins the connection, the state and the sound.
import { computed, effect, signal } from "@preact/signals";
import { Microphone } from "./audio/microphone";
import { Player } from "./audio/player";
import { judge, tells } from "./composer";
import { browserSurroundings, Connection, ConnectionLost, type Outgoing } from "./connection";
import { localFault, microphoneFault } from "./faults";
import { decodeFrame, encodeFrame, FrameKind } from "./frames";
import { language } from "./i18n";
import { login } from "./login";
import type { ServerMessage, SessionInfo } from "./protocol";
import { type Action, initial, reduce, runningTurn, type State } from "./state";

const TOAST_MS = 10_000;
const ERROR_TOAST_MS = 20_000;
const GAP_PAUSE_MS = 500;
const SPEAK_STORED = "aimark.speak";

export const state = signal<State>(initial);
/** Loudness at the microphone, 0..1; apart from the state since it changes 50 times a second. */
export const level = signal(0);
/** What is in the composer, by hand or put back after a failure. */
export const draft = signal("");
/** Whether answers are spoken. */
export const speak = signal(localStorage.getItem(SPEAK_STORED) !== "off");
export const turn = computed(() => runningTurn(state.value));

let queue: (ServerMessage | Action)[] = [];
let drawing = false;

/** Changes the state now, after what the daemon said before. */
function dispatch(action: ServerMessage | Action): void {
  const events = [...queue, action];
  queue = [];
  state.value = events.reduce(reduce, state.value);
}

/** Takes the daemon's message in at the next frame: a fast model sends more words than a screen can draw. */
function enqueue(message: ServerMessage): void {
  queue.push(message);
  if (drawing) return;
  drawing = true;
  const drain = () => {
    if (!drawing) return;
    drawing = false;
    const events = queue;
    queue = [];
    if (events.length > 0) state.value = events.reduce(reduce, state.value);
  };
  requestAnimationFrame(drain);
  setTimeout(drain, 200); // a hidden page draws no frames
}

const player = new Player((report) => {
  if (report.type === "finished") {
    if (state.value.speaking === report.turn) dispatch({ type: "local/speaking", turn: null });
  } else if (state.value.speaking !== report.turn) dispatch({ type: "local/speaking", turn: report.turn });
});

const connection = new Connection(browserSurroundings(() => language.value), {
  link: (link) => {
    if (link.phase === "waiting" && talk !== null) abandonTalk(talk);
    dispatch({ type: "local/link", link });
  },
  welcomed: () => {
    void ask({ type: "subscribe", topics: ["turns", "engines", "sessions", "notices", "telemetry"] });
    void ask({ type: "list_sessions" });
    void ask({ type: "list_commands" });
    const { current } = state.value;
    if (current !== null) void reload(current);
  },
  message: (message) => {
    hear(message);
    enqueue(message);
  },
  frame: (data) => {
    const frame = decodeFrame(data);
    if (frame?.kind === FrameKind.speech) player.play(frame.stream, frame.samples);
  },
});

/** Starts the page: logs in with the code in the address, then connects. */
export async function start(): Promise<void> {
  const outcome = await login();
  if (outcome === "refused") dispatch({ type: "local/fault", fault: localFault("login_refused") });
  connection.connect();
  addEventListener("online", () => connection.connect());
  addEventListener("pointerdown", () => player.unlock(), { capture: true });
  addEventListener("keydown", () => player.unlock(), { capture: true });
  addEventListener("hashchange", () => void login().then(() => connection.connect()));
  const timed = new Set<number>();
  effect(() => {
    // Errors stay longer; what failed is also said in the conversation itself.
    for (const { key, level } of state.value.toasts) {
      if (timed.has(key)) continue;
      timed.add(key);
      setTimeout(() => dismiss(key), level === "error" ? ERROR_TOAST_MS : TOAST_MS);
    }
  });
  let paused = false;
  effect(() => {
    const session = state.value.gaps[0];
    if (session === undefined || paused || !connection.open) return;
    paused = true;
    void reload(session).finally(() => setTimeout(() => (paused = false), GAP_PAUSE_MS));
  });
}

export function reconnect(): void {
  connection.connect();
}

function hear(message: ServerMessage): void {
  if (message.type === "speech_started") {
    player
      .begin(message.turn, message.sample_rate)
      .then(() => {
        if (player.suspended) dispatch({ type: "local/fault", fault: localFault("sound_suspended") });
      })
      .catch((error: unknown) => {
        dispatch({ type: "local/fault", fault: localFault("sound_failed", {}, String(error)) });
      });
  } else if (message.type === "speech_ended") player.end(message.turn);
  else if (message.type === "cancelled" || message.type === "error") player.flush(message.turn);
}

/** Asks and gives the answer, or null after a refusal (its toast is there already) or a lost connection. */
async function ask(message: Outgoing): Promise<ServerMessage | null> {
  try {
    const reply = await connection.request(message).reply;
    return reply.type === "refused" ? null : reply;
  } catch (error) {
    if (error instanceof ConnectionLost) dispatch({ type: "local/fault", fault: localFault("connection_lost") });
    return null;
  }
}

async function reload(session: string): Promise<void> {
  const reply = await ask({ type: "show_session", session });
  if (reply?.type !== "session") return;
  dispatch({ type: "local/loaded", session: reply.session, messages: reply.messages ?? [] });
}

// Sessions --------------------------------------------------------------------------------------------------------

export function selectSession(session: string | null): void {
  dispatch({ type: "local/selected", session });
  if (session !== null) void reload(session);
}

export async function renameSession(session: SessionInfo, title: string): Promise<void> {
  const wanted = title.trim().normalize("NFC");
  if (wanted === "" || wanted === session.title) return;
  await ask({ type: "rename_session", session: session.id, title: wanted });
}

export async function deleteSession(session: SessionInfo): Promise<void> {
  const reply = await ask({ type: "delete_session", session: session.id });
  if (reply === null) return;
  dispatch({ type: "local/deleted", session });
}

export async function restoreSession(session: SessionInfo): Promise<void> {
  await ask({ type: "restore_session", session: session.id });
}

/** Ids of the sessions with these words in title or messages. */
export async function searchSessions(query: string): Promise<string[]> {
  const reply = await ask({ type: "search_sessions", query: query.normalize("NFC") });
  return reply?.type === "search_hits" ? [...new Set(reply.hits.map((hit) => hit.session))] : [];
}

export function dismiss(key: number): void {
  dispatch({ type: "local/dismissed", key });
}

// Turns -----------------------------------------------------------------------------------------------------------

let toldTyping = -Infinity;

/** The text in the composer has changed by hand. */
export function type(text: string): void {
  draft.value = text;
  const now = performance.now();
  if (!connection.open || !tells(text, now - toldTyping)) return;
  toldTyping = now;
  void ask({ type: "typing" });
}

/** Sends what is in the composer, if it may be sent. */
export function submit(typed: string): void {
  const verdict = judge(typed, state.value.commands);
  if (!verdict.send) {
    if (verdict.fault !== null) dispatch({ type: "local/fault", fault: verdict.fault });
    return;
  }
  if (!connection.open) {
    dispatch({ type: "local/fault", fault: localFault("connection_lost") });
    return;
  }
  hush();
  player.unlock();
  draft.value = "";
  const session = state.value.current;
  const { id, reply } = connection.request({ type: "submit", text: verdict.text, session, speak: speak.value });
  dispatch({ type: "local/submitted", request: id, session, text: verdict.text });
  reply.catch(() => dispatch({ type: "local/request_failed", request: id, fault: localFault("connection_lost") }));
}

/** Stops the running turn in all its stages, and its sound. */
export function stop(): void {
  hush();
  if (turn.value !== null) void ask({ type: "cancel", turn: turn.value });
}

/** Silence now; the text goes on. */
export function hush(): void {
  player.flush();
  if (state.value.speaking !== null) dispatch({ type: "local/speaking", turn: null });
}

export function setSpeak(on: boolean): void {
  speak.value = on;
  localStorage.setItem(SPEAK_STORED, on ? "on" : "off");
  if (!on) hush();
}

// Voice -----------------------------------------------------------------------------------------------------------

interface Talk {
  session: string | null;
  /** The `listen` request; 0 until the first sound is there. */
  request: number;
  microphone: Microphone | null;
  released: boolean;
}

let talk: Talk | null = null;

/** The button is held: opens the microphone and sends what it hears. */
export async function startTalking(): Promise<void> {
  if (talk !== null) return;
  if (!connection.open) {
    dispatch({ type: "local/fault", fault: localFault("connection_lost") });
    return;
  }
  if (turn.value !== null) stop();
  hush();
  player.unlock();
  const mine: Talk = { session: state.value.current, request: 0, microphone: null, released: false };
  talk = mine;
  dispatch({ type: "local/voice", voice: "opening" });
  let sequence = 0;
  try {
    mine.microphone = await Microphone.open({
      block: (samples, loudness) => {
        if (mine.request === 0) {
          if (mine.released) return;
          dispatch({ type: "local/voice", voice: "live" });
          const { id, reply } = connection.request({ type: "listen", session: mine.session, speak: speak.value });
          mine.request = id;
          reply.then((message) => message.type === "refused" && abandonTalk(mine)).catch(() => undefined);
        }
        level.value = loudness;
        const frame = { kind: FrameKind.microphone, stream: mine.request, sequence: sequence++, samples };
        connection.sendFrame(encodeFrame(frame));
      },
      lost: () => {
        dispatch({ type: "local/fault", fault: localFault("microphone_lost") });
        void stopTalking();
      },
    });
  } catch (error) {
    if (talk === mine) finishTalking(mine);
    dispatch({ type: "local/fault", fault: microphoneFault(error) });
    return;
  }
  if (mine.released) await endTalk(mine);
}

/** The button was let go: closes the microphone; the turn begins with what was heard. */
export async function stopTalking(): Promise<void> {
  const mine = talk;
  if (mine === null || mine.released) return;
  mine.released = true;
  if (mine.microphone !== null) await endTalk(mine);
}

async function endTalk(mine: Talk): Promise<void> {
  await mine.microphone?.close();
  finishTalking(mine);
  if (mine.request === 0) return;
  dispatch({ type: "local/listening", request: mine.request, session: mine.session });
  connection.request({ type: "end_listen", listen: mine.request });
}

function finishTalking(mine: Talk): void {
  if (talk === mine) talk = null;
  level.value = 0;
  dispatch({ type: "local/voice", voice: "off" });
}

/** Nothing can be sent, so nothing may be recorded. */
function abandonTalk(mine: Talk): void {
  mine.released = true;
  mine.request = 0;
  void mine.microphone?.close();
  finishTalking(mine);
}
