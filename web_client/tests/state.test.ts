import { expect, test } from "vitest";
import type { Fault, MessageInfo, ServerMessage, SessionInfo } from "../src/protocol";
import { type Action, initial, isHeard, reduce, running, runningTurn, shown, type State } from "../src/state";

const session = (id: string, title = id, updated = "2026-01-01T00:00:00Z"): SessionInfo => ({
  id,
  title,
  created: updated,
  updated,
});
const FAULT: Fault = {
  code: "llm_crashed",
  message: { en: "It crashed.", ko: "멈췄습니다." },
  hint: { en: "Try again.", ko: "다시 시도해 주세요." },
};
const run = (events: (ServerMessage | Action)[], from: State = initial) => events.reduce(reduce, from);
const contents = (state: State) => shown(state).map((message) => [message.role, message.content, message.state]);
const ASKED: (ServerMessage | Action)[] = [
  { type: "local/submitted", request: 7, session: null, text: "수도는?" },
  { type: "turn_started", turn: 3, session: "s", id: 7, text: "수도는?" },
];

test("a typed question is there at once, then thinks, streams and is complete", () => {
  let state = run(ASKED.slice(0, 1));
  expect(contents(state)).toEqual([["user", "수도는?", "complete"], ["assistant", "", "queued"]]);
  state = run(ASKED.slice(1), state);
  expect(state.current).toBe("s");
  expect(contents(state)[1]).toEqual(["assistant", "", "thinking"]);
  expect(runningTurn(state)).toBe(3);
  state = run([{ type: "delta", turn: 3, at: 0, text: "서울" }, { type: "delta", turn: 3, at: 2, text: "입니다." }], state);
  expect(contents(state)[1]).toEqual(["assistant", "서울입니다.", "streaming"]);
  state = run(
    [{ type: "done", turn: 3, session: "s", finish: "stop", reply: "서울입니다.", tokens: 4, tokens_per_s: 21.5 }],
    state,
  );
  expect(contents(state)[1]).toEqual(["assistant", "서울입니다.", "complete"]);
  expect(runningTurn(state)).toBeNull();
  expect(state.lastTokensPerSecond).toBe(21.5);
  expect(shown(state)[1]?.figures).toMatchObject({ tokens: 4, cutShort: false });
});

test("doubled and overlapping pieces add nothing twice, also when counted in code points", () => {
  const state = run([
    ...ASKED,
    { type: "delta", turn: 3, at: 0, text: "👩‍🚀가" },
    { type: "delta", turn: 3, at: 0, text: "👩‍🚀가" },
    { type: "delta", turn: 3, at: 3, text: "가나" },
    { type: "delta", turn: 3, at: 5, text: "다" },
  ]);
  expect(shown(state)[1]?.content).toBe("👩‍🚀가나다");
  expect(state.gaps).toEqual([]);
});

test("a gap is noticed, adds nothing, and is closed by asking again", () => {
  let state = run([...ASKED, { type: "delta", turn: 3, at: 5, text: "늦게" }]);
  expect(state.gaps).toEqual(["s"]);
  expect(shown(state)[1]?.content).toBe("");
  const messages: MessageInfo[] = [
    { id: 1, role: "user", content: "수도는?", created: "", turn: 3 },
    { id: 2, role: "assistant", content: "앞부분 늦게", created: "", turn: 3, state: "streaming" },
  ];
  state = run(
    [
      { type: "local/loaded", session: session("s"), messages },
      { type: "delta", turn: 3, at: 6, text: "!" },
    ],
    state,
  );
  expect(state.gaps).toEqual([]);
  expect(shown(state)[1]?.content).toBe("앞부분 늦게!");
});

test("a stored text that is behind what has streamed takes nothing back", () => {
  const messages: MessageInfo[] = [
    { id: 1, role: "user", content: "수도는?", created: "", turn: 3 },
    { id: 2, role: "assistant", content: "서", created: "", turn: 3, state: "streaming" },
  ];
  const state = run([
    ...ASKED,
    { type: "delta", turn: 3, at: 0, text: "서울입" },
    { type: "local/loaded", session: session("s"), messages },
    { type: "delta", turn: 3, at: 3, text: "니다" },
  ]);
  expect(shown(state)[1]?.content).toBe("서울입니다");
});

test("a turn that is not stored yet survives loading", () => {
  const state = run([...ASKED, { type: "local/loaded", session: session("s"), messages: [] }]);
  expect(shown(state).map((message) => message.state)).toEqual(["thinking"]);
});

test("what was heard becomes the person's message", () => {
  let state = run([
    { type: "local/listening", request: 4, session: null },
    { type: "turn_started", turn: 9, session: "s", id: 4 },
  ]);
  expect(contents(state)).toEqual([["user", "", "hearing"], ["assistant", "", "hearing"]]);
  state = run([{ type: "heard", turn: 9, text: "불 꺼 줘", language: "ko" }], state);
  expect(contents(state)).toEqual([["user", "불 꺼 줘", "complete"], ["assistant", "", "thinking"]]);
});

test("speech that was on its way when the connection was lost does not wait for ever", () => {
  const lost: Action = { type: "local/link", link: { phase: "waiting", retryAt: 0, signedOut: false } };
  const state = run([...ASKED, { type: "local/listening", request: 8, session: "s" }, lost]);
  expect(contents(state)).toEqual([["user", "수도는?", "complete"], ["assistant", "", "thinking"]]);
  expect(contents(run([{ type: "local/listening", request: 4, session: null }, lost]))).toEqual([]);
});

test("a cancelled turn keeps what was said, and a late piece changes nothing", () => {
  const state = run([
    ...ASKED,
    { type: "delta", turn: 3, at: 0, text: "서울" },
    { type: "cancelled", turn: 3, session: "s", reply: "서울" },
    { type: "delta", turn: 3, at: 2, text: "입니다" },
  ]);
  expect(contents(state)[1]).toEqual(["assistant", "서울", "cancelled"]);
});

test("of a spoken answer that was interrupted, what was heard stays", () => {
  const state = run([
    ...ASKED,
    { type: "delta", turn: 3, at: 0, text: "서울입니다. 인구는" },
    { type: "cancelled", turn: 3, session: "s", reply: "서울입니다. 인구는" },
    { type: "speech_heard", turn: 3, session: "s", reply: "서울입니다." },
  ]);
  expect(contents(state)[1]).toEqual(["assistant", "서울입니다.", "cancelled"]);
});

test("a failed turn keeps the question and the reason, and is told in one red toast", () => {
  const state = run([
    ...ASKED,
    { type: "error", turn: 3, session: "s", fault: FAULT },
    { type: "notice", level: "error", fault: FAULT },
  ]);
  expect(contents(state)).toEqual([["user", "수도는?", "complete"], ["assistant", "", "failed"]]);
  expect(shown(state)[1]?.fault).toEqual(FAULT);
  expect(state.toasts.map((toast) => [toast.level, toast.fault?.code])).toEqual([["error", "llm_crashed"]]);
});

test("a refused request fails its own message and no other", () => {
  const state = run([
    ...ASKED,
    { type: "local/submitted", request: 8, session: "s", text: "둘째" },
    { type: "refused", id: 8, fault: FAULT },
  ]);
  expect(shown(state).map((message) => message.state)).toEqual(["complete", "thinking", "complete", "failed"]);
  expect(state.toasts.length).toBe(1);
});

test("speech in which nothing was heard leaves no message, and the reason", () => {
  const state = run([
    { type: "local/listening", request: 4, session: null },
    { type: "refused", id: 4, fault: FAULT },
  ]);
  expect(contents(state)).toEqual([]);
  expect(state.toasts[0]?.fault).toEqual(FAULT);
});

test("another window's turn appears where its session is open, once", () => {
  const started: ServerMessage = { type: "turn_started", turn: 5, session: "s", text: "다른 창" };
  const loaded: Action = { type: "local/loaded", session: session("s"), messages: [] };
  const state = run([loaded, { type: "local/selected", session: "s" }, started, started]);
  expect(contents(state)).toEqual([["user", "다른 창", "complete"], ["assistant", "", "thinking"]]);
  expect(run([started]).messages).toEqual(initial.messages);
});

test("a turn in one session leaves the shown one alone", () => {
  const state = run([
    ...ASKED,
    { type: "local/selected", session: null },
    { type: "delta", turn: 3, at: 0, text: "서울" },
  ]);
  expect(shown(state)).toEqual([]);
  expect(state.messages["s"]?.[1]?.content).toBe("서울");
});

test("sessions are newest first; renaming one changes that one", () => {
  const many = Array.from({ length: 50 }, (_, index) => session(`s${index}`, `제목 ${index}`, `2026-01-01T00:00:${index + 10}Z`));
  let state = run([{ type: "sessions", id: 1, sessions: many }]);
  expect(state.sessions[0]?.id).toBe("s49");
  state = run([{ type: "session_changed", session: { ...many[7]!, title: "새 이름" } }], state);
  const changed = state.sessions.filter((known) => known.title !== many.find((one) => one.id === known.id)?.title);
  expect(changed.map((one) => one.id)).toEqual(["s7"]);
  expect(state.sessions.length).toBe(50);
});

test("a deleted session disappears with a way back", () => {
  let state = run([
    { type: "sessions", id: 1, sessions: [session("a"), session("b")] },
    { type: "local/selected", session: "a" },
    { type: "local/deleted", session: session("a") },
  ]);
  expect(state.sessions.map((one) => one.id)).toEqual(["b"]);
  expect(state.current).toBeNull();
  const toast = state.toasts[0]!;
  expect(toast.undo?.id).toBe("a");
  state = run([{ type: "local/dismissed", key: toast.key }, { type: "session_changed", session: session("a") }], state);
  expect(state.toasts).toEqual([]);
  expect(state.sessions.length).toBe(2);
});

test("an engine's change shows in the status", () => {
  const status = { state: "ready", version: "0", pid: 1, port: 1, engines: { llm: { state: "ready" } }, gpu: [], sessions: 0 };
  const state = run([
    { type: "welcome", id: 1, version: 1, daemon: "0", status },
    { type: "engine_changed", engine: "llm", info: { state: "failed", fault: FAULT } },
  ]);
  expect(state.status?.engines["llm"]?.state).toBe("failed");
});

test("game mode shows in the status, whoever turned it on", () => {
  const status = { state: "ready", version: "0", pid: 1, port: 1, engines: {}, gpu: [], sessions: 0, game: false };
  const welcome: ServerMessage = { type: "welcome", id: 1, version: 1, daemon: "0", status };
  expect(run([welcome, { type: "game_changed", on: true }]).status?.game).toBe(true);
  expect(run([{ type: "game_changed", on: true }]).status).toBeNull();
});

test("toasts do not pile up", () => {
  const faults = Array.from({ length: 9 }, (_, index): Action => ({ type: "local/fault", fault: { ...FAULT, code: `f${index}` } }));
  expect(run(faults).toasts.map((toast) => toast.fault?.code)).toEqual(["f5", "f6", "f7", "f8"]);
});

test("messages of a newer daemon change nothing", () => {
  const unknown = { type: "hologram", turn: 3 } as unknown as ServerMessage;
  const before = run(ASKED);
  expect(reduce(before, unknown)).toBe(before);
});

test("a reducer never changes the state it was given", () => {
  const deepFreeze = <T>(value: T): T => {
    if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
      Object.freeze(value);
      Object.values(value).forEach(deepFreeze);
    }
    return value;
  };
  const events: (ServerMessage | Action)[] = [
    ...ASKED,
    { type: "progress", turn: 3, fraction: 0.5 },
    { type: "delta", turn: 3, at: 0, text: "가" },
    { type: "done", turn: 3, session: "s", finish: "length", reply: "가" },
  ];
  const end = events.reduce((state, event) => deepFreeze(reduce(state, event)), deepFreeze(initial));
  expect(shown(end).some(running)).toBe(false);
});

test("an answer whose engine dies waits, still runs, and goes on where it was", () => {
  let state = run([...ASKED, { type: "delta", turn: 3, at: 0, text: "서울" }, { type: "interrupted", turn: 3, fault: FAULT }]);
  expect(contents(state)[1]).toEqual(["assistant", "서울", "recovering"]);
  expect(shown(state)[1]?.fault).toEqual(FAULT);
  expect(runningTurn(state)).toBe(3);
  expect(state.toasts).toEqual([]);
  state = run([{ type: "resumed", turn: 3 }], state);
  expect(contents(state)[1]).toEqual(["assistant", "서울", "streaming"]);
  expect(shown(state)[1]?.fault).toBeNull();
  state = run([{ type: "delta", turn: 3, at: 2, text: "입니다." }], state);
  expect(contents(state)[1]).toEqual(["assistant", "서울입니다.", "streaming"]);
  state = run([{ type: "done", turn: 3, session: "s", finish: "stop", reply: "서울입니다." }], state);
  expect(contents(state)[1]).toEqual(["assistant", "서울입니다.", "complete"]);
});

test("an answer interrupted before its first word thinks again, and one that has ended stays as it is", () => {
  let state = run([...ASKED, { type: "interrupted", turn: 3, fault: FAULT }, { type: "resumed", turn: 3 }]);
  expect(contents(state)[1]).toEqual(["assistant", "", "thinking"]);
  state = run([{ type: "cancelled", turn: 3, session: "s" }, { type: "interrupted", turn: 3, fault: FAULT }], state);
  expect(contents(state)[1]).toEqual(["assistant", "", "cancelled"]);
});

test("a computer without a graphics card is told so in its panel, not by a toast at each start", () => {
  const notice = (code: string) => ({ type: "notice", level: "warning", fault: { ...FAULT, code } }) as const;
  expect(run([notice("gpu_driver_missing")]).toasts).toEqual([]);
  expect(run([notice("gpu_lost")]).toasts).toHaveLength(1);
});

test("a question asked again takes the place of the old one and of all after it at once", () => {
  const asked = run([
    ...ASKED,
    { type: "done", turn: 3, session: "s", finish: "stop", reply: "서울" },
    { type: "local/submitted", request: 8, session: "s", text: "둘" },
    { type: "turn_started", turn: 4, session: "s", id: 8, text: "둘" },
    { type: "done", turn: 4, session: "s", finish: "stop", reply: "2" },
  ]);
  const first = shown(asked)[0];
  if (first === undefined) throw new Error("nothing is shown");
  const again = run([{ type: "local/submitted", request: 9, session: "s", text: "다시", instead: first.key }], asked);
  expect(contents(again)).toEqual([["user", "다시", "complete"], ["assistant", "", "queued"]]);
});

test("when another window asks in place of something, the conversation is asked for again", () => {
  const state = run([...ASKED, { type: "turn_started", turn: 9, session: "s", text: "다시", replaces: 1 }]);
  expect(state.gaps).toEqual(["s"]);
  expect(run([{ type: "turn_started", turn: 9, session: "unknown", text: "다시", replaces: 1 }]).gaps).toEqual([]);
});

test("pinned chats stay above the others", () => {
  const state = run([
    { type: "sessions", id: 1, sessions: [session("a", "a", "2026-01-01"), session("b", "b", "2026-01-03")] },
    { type: "session_changed", session: { ...session("a", "a", "2026-01-01"), pinned: true } },
    { type: "session_changed", session: session("c", "c", "2026-01-04") },
  ]);
  expect(state.sessions.map(({ id }) => id)).toEqual(["a", "c", "b"]);
});

test("a message that is read aloud is the one that is heard", () => {
  const state = run([
    ...ASKED,
    { type: "done", turn: 3, session: "s", finish: "stop", reply: "서울" },
    { type: "local/reading", message: "r7:assistant", turn: 2 ** 31 },
    { type: "local/speaking", turn: 2 ** 31 },
  ]);
  expect(shown(state).map((message) => isHeard(state, message))).toEqual([false, true]);
  const over = run([{ type: "local/speaking", turn: null }], state);
  expect(shown(over).some((message) => isHeard(over, message))).toBe(false);
});

test("a command's question is asked until it is closed", () => {
  const question = { type: "question", turn: 5, question: 1, text: "지울까요?", confirm: true } as const;
  let state = run([question, question]);
  expect(state.questions).toEqual([question]);
  state = run([{ type: "question_closed", turn: 5, question: 2 }], state);
  expect(state.questions).toEqual([question]);
  expect(run([{ type: "question_closed", turn: 5, question: 1 }], state).questions).toEqual([]);
});

test("what a plugin tells is a toast, and its new commands are there at once", () => {
  const state = run([
    { type: "notify", plugin: "timer", title: "타이머", text: "10분이 지났습니다" },
    { type: "plugins_changed", plugins: [], commands: [{ name: "timer", names: { ko: ["타이머"] }, help: {} }] },
  ]);
  expect(state.toasts[0]?.told).toEqual({ title: "타이머", text: "10분이 지났습니다" });
  expect(state.commands.map((command) => command.name)).toEqual(["timer"]);
});
