// What a command asks the person: yes or no, one of several answers, or a few words.
import { useState } from "preact/hooks";
import { t } from "../../i18n";
import type { Question } from "../../protocol";
import { answer, state } from "../../store";

export function Questions({ turn }: { turn: number | null }) {
  const open = state.value.questions.filter((question) => question.turn === turn);
  return (
    <>
      {open.map((question) => (
        <OneQuestion key={question.question} question={question} />
      ))}
    </>
  );
}

function OneQuestion({ question }: { question: Question }) {
  const [text, setText] = useState("");
  const { choices = [], confirm = false } = question;
  return (
    <form
      class="question"
      aria-label={question.text}
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== "") answer(question, true, text);
      }}
    >
      <p>{question.text}</p>
      {confirm && (
        <button type="button" class="text-button" onClick={() => answer(question, true)}>
          {t("yes")}
        </button>
      )}
      {choices.map((choice) => (
        <button key={choice} type="button" class="text-button" onClick={() => answer(question, true, choice)}>
          {choice}
        </button>
      ))}
      {!confirm && choices.length === 0 && (
        <>
          <input value={text} aria-label={question.text} onInput={(event) => setText(event.currentTarget.value)} />
          <button type="submit" class="text-button">
            {t("answer")}
          </button>
        </>
      )}
      <button type="button" class="text-button quiet" onClick={() => answer(question, false)}>
        {t(confirm ? "no" : "dismiss")}
      </button>
    </form>
  );
}
