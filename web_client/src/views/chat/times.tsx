// Where a turn's time went, and how much was said.
import { t } from "../../i18n";
import type { Figures } from "../../state";

export function Times({ figures }: { figures: Figures }) {
  const { timings } = figures;
  const parts: string[] = [];
  const seconds = (value: number | null | undefined) => (value == null ? null : value.toFixed(2));
  const add = (key: "timeHeard" | "timeToken" | "timeAudio" | "timeEnd", value: number | null | undefined) => {
    const text = seconds(value);
    if (text !== null) parts.push(t(key, { value: text }));
  };
  add("timeHeard", timings.transcript_s);
  add("timeToken", timings.first_token_s);
  add("timeAudio", timings.first_audio_s);
  add("timeEnd", timings.end_s);
  if (figures.tokens > 0) parts.push(t("tokens", { value: figures.tokens }));
  if (figures.tokensPerSecond > 0) parts.push(t("tokensPerSecond", { value: figures.tokensPerSecond.toFixed(1) }));
  if (figures.droppedTurns > 0) parts.push(t("forgot", { count: figures.droppedTurns }));
  if (figures.cutShort) parts.push(t("cutShort"));
  if (parts.length === 0) return null;
  return (
    <span class="times" title={t("timings")}>
      {parts.join(" · ")}
    </span>
  );
}
