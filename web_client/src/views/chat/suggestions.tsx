// What can be asked, for those who see the page for the first time.
import { type Key, t } from "../../i18n";
import { draft } from "../../store";

const SUGGESTIONS: readonly Key[] = ["suggestionExplain", "suggestionWrite", "suggestionCode"];

export function Suggestions() {
  return (
    <ul class="suggestions">
      {SUGGESTIONS.map((key) => (
        <li key={key}>
          <button
            type="button"
            onClick={() => {
              draft.value = t(key);
              document.querySelector<HTMLElement>(".composer textarea")?.focus();
            }}
          >
            {t(key)}
          </button>
        </li>
      ))}
    </ul>
  );
}
