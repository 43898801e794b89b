// The page's own settings: language, colours, spoken answers.
import { type Key, language, setLanguage, t } from "../../i18n";
import { setSpeak, speak, state } from "../../store";
import { setTheme, type Theme, theme, THEMES } from "../../theme";
import { dialog } from "../../ui";
import { Dialog } from "../shared/dialog";
import { Icon } from "../shared/icons";

const THEME_NAMES: Record<Theme, Key> = { system: "themeSystem", light: "themeLight", dark: "themeDark" };
const LANGUAGES = [
  ["ko", "한국어"],
  ["en", "English"],
] as const;

export function Settings() {
  return (
    <Dialog name="settings" title={t("settings")}>
      <fieldset class="choice">
        <legend>{t("language")}</legend>
        {LANGUAGES.map(([code, name]) => (
          <label key={code} lang={code}>
            <input
              type="radio"
              name="language"
              checked={language.value === code}
              onChange={() => setLanguage(code)}
            />
            {name}
          </label>
        ))}
      </fieldset>
      <fieldset class="choice">
        <legend>{t("theme")}</legend>
        {THEMES.map((name) => (
          <label key={name}>
            <input type="radio" name="theme" checked={theme.value === name} onChange={() => setTheme(name)} />
            <Icon name={name} />
            {t(THEME_NAMES[name])}
          </label>
        ))}
      </fieldset>
      <fieldset class="choice">
        <legend>{t("tts")}</legend>
        <label>
          <input type="checkbox" checked={speak.value} onChange={(event) => setSpeak(event.currentTarget.checked)} />
          {t("speakAnswers")}
        </label>
      </fieldset>
      <div class="dialog-foot">
        <button type="button" class="text-button" onClick={() => (dialog.value = "shortcuts")}>
          <Icon name="keyboard" />
          {t("shortcuts")}
        </button>
        <span class="soft">AI MARK {state.value.status?.version ?? ""}</span>
      </div>
    </Dialog>
  );
}
