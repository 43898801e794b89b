// The engines' lights: grey while nothing is known of them.
import { type Key, say, t } from "../../i18n";
import type { EngineInfo } from "../../protocol";
import { state } from "../../store";

const NAMES: Record<string, Key> = { llm: "llm", stt: "stt", tts: "tts", image: "image" };
const STATES: Record<string, Key> = {
  absent: "stateAbsent",
  awaited: "stateStarting",
  spawning: "stateStarting",
  loading: "stateLoading",
  ready: "stateReady",
  busy: "stateBusy",
  crashed: "stateCrashed",
  failed: "stateFailed",
  stopped: "stateStopped",
  asleep: "stateAsleep",
};

export function engineName(name: string): string {
  const key = NAMES[name];
  return key === undefined ? name : t(key);
}

/** How an engine is, in words. */
export function engineWords(state: string): string {
  const key = STATES[state];
  return key === undefined ? state : t(key);
}

export function Engines() {
  const { status, link } = state.value;
  const known = link.phase === "open";
  return (
    <span class="engines">
      {Object.entries(status?.engines ?? {}).map(([name, info]) => (
        <Engine key={name} name={name} info={info} known={known} />
      ))}
    </span>
  );
}

function Engine({ name, info, known }: { name: string; info: EngineInfo; known: boolean }) {
  const words = known ? engineWords(info.state) : t("stateUnknown");
  const facts = [words, info.model, info.fault ? say(info.fault.message) : "", info.plan ? say(info.plan.reason) : ""];
  if (info.restarts) facts.push(t("restarts", { count: info.restarts }));
  const shown = known ? (STATES[info.state] ?? "") : "stateUnknown";
  return (
    <span class={`engine ${shown}`} title={facts.filter(Boolean).join(" · ")}>
      <span class="dot" aria-hidden="true" />
      {engineName(name)}{" "}
      <span class={shown === "stateReady" || !known ? "visually-hidden" : "engine-state"}>{words}</span>
    </span>
  );
}
