// The composer: the text to send, the commands that fit it, the microphone, send and stop.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { completions, nameOf, sends } from "../../composer";
import { language, t } from "../../i18n";
import type { CommandInfo } from "../../protocol";
import { runningTurn } from "../../state";
import { draft, state, stop, submit, type } from "../../store";
import { Icon } from "../shared/icons";
import { TalkButton } from "../voice/talk_button";
import { Palette } from "./palette";

const MOST_COMPLETIONS = 8;

export function Composer() {
  const field = useRef<HTMLTextAreaElement>(null);
  const [chosen, setChosen] = useState(0);
  const [hidden, setHidden] = useState("");
  const text = draft.value;
  const turn = runningTurn(state.value);
  const fitting = hidden === text ? [] : completions(text, state.value.commands).slice(0, MOST_COMPLETIONS);
  const at = Math.min(chosen, fitting.length - 1);
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
  useEffect(() => setChosen(0), [text]);
  const complete = (command: CommandInfo) => {
    draft.value = `/${nameOf(command, language.value)} `;
    field.current?.focus();
  };
  const walked = (event: KeyboardEvent): boolean => {
    const command = fitting[at];
    if (command === undefined || event.isComposing) return false;
    if (event.key === "Tab" && !event.shiftKey) complete(command);
    else if (event.key === "ArrowDown") setChosen((at + 1) % fitting.length);
    else if (event.key === "ArrowUp") setChosen((at + fitting.length - 1) % fitting.length);
    else if (event.key === "Escape") setHidden(text);
    else if (sends(event) && !state.value.commands.some((known) => text === `/${nameOf(known, language.value)}`)) {
      complete(command);
    } else return false;
    return true;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (walked(event)) event.preventDefault();
    else if (sends(event)) {
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
      {fitting.length > 0 && <Palette commands={fitting} chosen={at} choose={complete} />}
      <div class="composer-row">
        <TalkButton />
        <textarea
          ref={field}
          rows={1}
          value={text}
          aria-label={t("composer")}
          aria-autocomplete="list"
          aria-controls={fitting.length > 0 ? "palette" : undefined}
          aria-activedescendant={fitting.length > 0 ? `palette-${at}` : undefined}
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
