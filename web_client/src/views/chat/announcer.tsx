// What screen readers are told: each sentence of an answer once, when it is whole.
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../i18n";
import { readable, wholeUntil } from "../../sentences";
import { type ChatMessage, running } from "../../state";

export function Announcer({ message }: { message: ChatMessage | undefined }) {
  const [words, setWords] = useState("");
  const said = useRef<{ key: string; until: number } | null>(null);
  const answer = message?.role === "assistant" ? message : null;
  const live = answer !== null && running(answer);
  useEffect(() => {
    if (answer === null) return;
    if (said.current?.key !== answer.key) {
      // An answer that was complete when it was opened is read like any text, not announced.
      if (!live) return;
      said.current = { key: answer.key, until: 0 };
      if (answer.content === "") setWords(t("thinking"));
    }
    const { until } = said.current;
    const end = live ? until + wholeUntil(answer.content.slice(until)) : answer.content.length;
    if (end <= until) return;
    said.current = { key: answer.key, until: end };
    setWords(readable(answer.content.slice(until, end)));
  }, [answer?.key, answer?.content, live]);
  return (
    <div class="visually-hidden announcer" aria-live="polite">
      {words}
    </div>
  );
}
