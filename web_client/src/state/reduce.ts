// How each message of the daemon or action of the person changes the state. Pure.
import type { Done, EngineChanged, Question } from "../protocol";
import { charted, extended } from "../telemetry";
import { pastTurn } from "../waterfall";
import type { Figures, Happening, State } from "./model";
import { sorted, withSession, withToast } from "./sessions";
import {
  addDelta,
  addPending,
  changeAnswer,
  changeTurn,
  count,
  endTurn,
  failRequest,
  forgetUnheard,
  load,
  startTurn,
} from "./turns";

const MOST_EVENTS = 50;
const MOST_TURNS = 8;
/** Notices that are as it should be on most computers: the panel of the machine says them, no toast at each start. */
const SHOWN_ELSEWHERE: ReadonlySet<string> = new Set(["gpu_driver_missing"]);

export function reduce(state: State, event: Happening): State {
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
    case "plugins_changed":
      return { ...state, commands: event.commands };
    case "question":
      return { ...state, questions: [...withoutQuestion(state, event), event] };
    case "question_closed":
      return { ...state, questions: withoutQuestion(state, event) };
    case "notify":
      return withToast(state, { level: "info", told: { title: event.title ?? "", text: event.text } });
    case "engine_changed": {
      if (state.status === null) return state;
      const engines = { ...state.status.engines, [event.engine]: event.info };
      return withEvent({ ...state, status: { ...state.status, engines } }, event);
    }
    case "game_changed":
      return state.status === null ? state : { ...state, status: { ...state.status, game: event.on } };
    case "telemetry":
      return { ...state, telemetry: event, chart: extended(state.chart, event) };
    case "telemetry_history":
      return { ...state, chart: charted(event) };
    case "notice":
      if (SHOWN_ELSEWHERE.has(event.fault.code)) return state;
      return withToast(state, { level: event.level, fault: event.fault });
    case "refused":
      return withToast(failRequest(state, event.id, event.fault), { level: "error", fault: event.fault });
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
      const next = withTurn(endTurn(state, event.turn, event.reply, "complete", null, figures), event);
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
          });
    case "local/link": {
      const next = { ...state, link: event.link };
      return event.link.phase === "waiting" ? forgetUnheard({ ...next, questions: [] }) : next;
    }
    case "local/selected":
      return { ...state, current: event.session };
    case "local/loaded":
      return load(state, event.session, event.messages);
    case "local/submitted":
      return addPending(state, event.session, event.request, event.text, "queued", event.instead);
    case "local/listening":
      return addPending(state, event.session, event.request, "", "hearing");
    case "local/request_failed":
      return withToast(failRequest(state, event.request, event.fault), {
        level: "error",
        fault: event.fault,
          });
    case "local/deleted": {
      const next = withSession(state, { ...event.session, deleted: true });
      return withToast(next, { level: "info", undo: event.session });
    }
    case "local/imported":
      return withToast(state, { level: "info", imported: event.count });
    case "local/fault":
      return withToast(state, { level: "error", fault: event.fault });
    case "local/dismissed":
      return { ...state, toasts: state.toasts.filter((toast) => toast.key !== event.key) };
    case "local/voice":
      return { ...state, voice: event.voice };
    case "local/reading":
      return { ...state, reading: { message: event.message, turn: event.turn } };
    case "local/speaking":
      return { ...state, speaking: event.turn };
    default:
      return state;
  }
}

function withoutQuestion(state: State, { turn, question }: { turn: number; question: number }): Question[] {
  return state.questions.filter((open) => open.turn !== turn || open.question !== question);
}

function withTurn(state: State, { turn, session, timings }: Done): State {
  const question = state.messages[session]?.find((message) => message.turn === turn && message.role === "user");
  const past = pastTurn(turn, question?.content ?? "", timings ?? {});
  return past === null ? state : { ...state, turns: [past, ...state.turns].slice(0, MOST_TURNS) };
}

/** Keeps what happened to an engine, newest first, unless its state is the same as before. */
function withEvent(state: State, { engine, info }: EngineChanged): State {
  const before = state.events.find((event) => event.engine === engine);
  if (before?.state === info.state) return state;
  const key = (state.events[0]?.key ?? 0) + 1;
  const time = state.telemetry?.time ?? null;
  const event = { key, time, engine, state: info.state, fault: info.fault ?? null };
  return { ...state, events: [event, ...state.events].slice(0, MOST_EVENTS) };
}
