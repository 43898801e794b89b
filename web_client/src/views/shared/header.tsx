// The header: which chat this is, how the engines are, and what the machine does at a glance.
import { t } from "../../i18n";
import { setSpeak, speak, state } from "../../store";
import { dialog } from "../../ui";
import { Engines } from "../telemetry/engines";
import { Gauges } from "../telemetry/gauges";
import { Icon } from "./icons";

export function Header({ openSessions }: { openSessions: () => void }) {
  const { sessions, current } = state.value;
  const title = sessions.find((session) => session.id === current)?.title;
  return (
    <header class="header">
      <button type="button" class="icon-button only-narrow" aria-label={t("showSessions")} onClick={openSessions}>
        <Icon name="menu" />
      </button>
      <h1 class="header-title">{current === null ? t("newChat") : title || t("untitled")}</h1>
      <button type="button" class="machine" onClick={() => (dialog.value = "machine")}>
        <span class="visually-hidden">{t("machine")}: </span>
        <Engines />
        <Gauges />
      </button>
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
        <button
          type="button"
          class="icon-button"
          aria-label={t("settings")}
          title={t("settings")}
          onClick={() => (dialog.value = "settings")}
        >
          <Icon name="settings" />
        </button>
      </div>
    </header>
  );
}
