// The header: which chat this is, how the engines are, what the machine does, and the page's few choices.
import { type Key, type Language, language, say, setLanguage, t } from "../i18n";
import type { EngineInfo, GpuInfo } from "../protocol";
import { setSpeak, speak, state } from "../store";
import { setTheme, type Theme, theme, THEMES } from "../theme";
import { Icon } from "./icons";

const ENGINE_NAMES: Record<string, Key> = { llm: "llm", stt: "stt", tts: "tts", image: "image" };
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
const THEME_NAMES: Record<Theme, Key> = { system: "themeSystem", light: "themeLight", dark: "themeDark" };
const GIGABYTE = 1024 ** 3;

export function Header({ openSessions }: { openSessions: () => void }) {
  const { sessions, current } = state.value;
  const title = sessions.find((session) => session.id === current)?.title;
  return (
    <header class="header">
      <button type="button" class="icon-button only-narrow" aria-label={t("showSessions")} onClick={openSessions}>
        <Icon name="menu" />
      </button>
      <h1 class="header-title">{current === null ? t("newChat") : title || t("untitled")}</h1>
      <Machine />
      <div class="header-choices">
        <button
          type="button"
          class="icon-button"
          aria-pressed={speak.value}
          aria-label={t(speak.value ? "voiceOn" : "voiceOff")}
          title={t(speak.value ? "voiceOn" : "voiceOff")}
          onClick={() => setSpeak(!speak.value)}
        >
          <Icon name={speak.value ? "speaker" : "muted"} />
        </button>
        <ThemeButton />
        <select
          aria-label={t("language")}
          value={language.value}
          onChange={(event) => setLanguage(event.currentTarget.value as Language)}
        >
          <option value="ko" lang="ko">
            한국어
          </option>
          <option value="en" lang="en">
            English
          </option>
        </select>
      </div>
    </header>
  );
}

/** Each press takes the next of system, light and dark. */
function ThemeButton() {
  const now = THEMES.indexOf(theme.value);
  const label = `${t("theme")}: ${t(THEME_NAMES[theme.value])}`;
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      onClick={() => setTheme(THEMES[(now + 1) % THEMES.length] ?? "system")}
    >
      <Icon name={theme.value} />
    </button>
  );
}

function Machine() {
  const { status, telemetry, lastTokensPerSecond } = state.value;
  const gpus = telemetry?.gpu ?? status?.gpu ?? [];
  return (
    <div class="machine">
      <ul class="engines" aria-label={t("engines")}>
        {Object.entries(status?.engines ?? {}).map(([name, info]) => (
          <Engine key={name} name={name} info={info} />
        ))}
      </ul>
      {lastTokensPerSecond !== null && (
        <span class="figure">{t("tokensPerSecond", { value: lastTokensPerSecond.toFixed(1) })}</span>
      )}
      {gpus.map((gpu) => (
        <Vram key={gpu.index} gpu={gpu} />
      ))}
    </div>
  );
}

function Engine({ name, info }: { name: string; info: EngineInfo }) {
  const nameKey = ENGINE_NAMES[name];
  const stateKey = STATES[info.state];
  const words = stateKey === undefined ? info.state : t(stateKey);
  const facts = [words, info.model, info.fault ? say(info.fault.message) : "", info.plan ? say(info.plan.reason) : ""];
  if (info.restarts) facts.push(t("restarts", { count: info.restarts }));
  return (
    <li class={`engine ${stateKey ?? ""}`} title={facts.filter(Boolean).join(" · ")}>
      <span class="dot" aria-hidden="true" />
      {nameKey === undefined ? name : t(nameKey)}
      <span class={stateKey === "stateReady" ? "visually-hidden" : "engine-state"}>{words}</span>
    </li>
  );
}

function Vram({ gpu }: { gpu: GpuInfo }) {
  if (gpu.vram_used == null || gpu.vram_total == null) return null;
  const used = (gpu.vram_used / GIGABYTE).toFixed(1);
  const total = `${(gpu.vram_total / GIGABYTE).toFixed(1)} GB`;
  return (
    <span class="figure vram" title={gpu.name ?? ""}>
      <span class="bar" aria-hidden="true">
        <span style={{ transform: `scaleX(${gpu.vram_used / gpu.vram_total})` }} />
      </span>
      {t("vram", { used, total })}
    </span>
  );
}
