// The composer: the text to send, the commands that fit it, the microphone, send and stop.
import { useLayoutEffect, useRef } from "preact/hooks";
import { completions, nameOf, sends } from "../composer";
import { language, t } from "../i18n";
import type { CommandInfo } from "../protocol";
import { runningTurn } from "../state";
import { draft, state, stop, submit, type } from "../store";
import { Icon } from "./icons";
import { TalkButton } from "./voice";

const MOST_COMPLETIONS = 8;

export function Composer() {
  const field = useRef<HTMLTextAreaElement>(null);
  const text = draft.value;
  const turn = runningTurn(state.value);
  const fitting = completions(text, state.value.commands).slice(0, MOST_COMPLETIONS);
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
  const complete = (command: CommandInfo) => {
    draft.value = `/${nameOf(command, language.value)} `;
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const first = fitting[0];
    if (event.key === "Tab" && !event.shiftKey && !event.isComposing && first !== undefined) {
      event.preventDefault();
      complete(first);
    } else if (sends(event)) {
      event.preventDefault();
      submit(text);
    }
  };
  return (
    <form
      class="composer"
      aria-label={t("composer")}
      onSubmit={(event) => {
        event.preventDefault();
        submit(text);
      }}
    >
      {fitting.length > 0 && (
        <ul class="completions" aria-label={t("commands")}>
          {fitting.map((command) => (
            <li key={command.name}>
              <button type="button" onClick={() => complete(command)}>
                <code>/{nameOf(command, language.value)}</code>
                <span>{command.help[language.value] ?? command.help["en"] ?? ""}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <div class="composer-row">
        <TalkButton />
        <textarea
          ref={field}
          rows={1}
          value={text}
          aria-label={t("composer")}
          placeholder={t("placeholder")}
          onInput={(event) => type(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        {turn !== null ? (
          <button type="button" class="round stop" aria-label={t("stop")} title={t("stop")} onClick={stop}>
            <Icon name="stop" />
          </button>
        ) : (
          <button
            type="submit"
            class="round send"
            aria-label={t("send")}
            title={t("send")}
            disabled={text.trim() === ""}
          >
            <Icon name="send" />
          </button>
        )}
      </div>
    </form>
  );
}
