// The last turns as bars of their stages, all to the same scale.
import { t } from "../../i18n";
import { state } from "../../store";
import type { PastTurn, StageName } from "../../waterfall";

const STAGES: readonly StageName[] = ["stageHear", "stageRead", "stageBegin", "stageWrite"];

export function Waterfall() {
  const { turns } = state.value;
  if (turns.length === 0) return null;
  const longest = Math.max(...turns.map((turn) => turn.end));
  return (
    <section class="panel-section">
      <h3>{t("lastTurns")}</h3>
      <p class="legend" aria-hidden="true">
        {STAGES.map((name) => (
          <span key={name} class={name}>
            {t(name)}
          </span>
        ))}
      </p>
      <ol class="turns">
        {turns.map((turn) => (
          <Turn key={turn.turn} turn={turn} longest={longest} />
        ))}
      </ol>
    </section>
  );
}

function Turn({ turn, longest }: { turn: PastTurn; longest: number }) {
  const said = turn.stages.map(({ name, from, to }) => `${t(name)} ${seconds(to - from)}`);
  if (turn.firstSound !== null) said.push(t("timeAudio", { value: turn.firstSound.toFixed(2) }));
  return (
    <li>
      <span class="turn-question">{turn.question}</span>
      <span class="turn-bar" aria-hidden="true" title={said.join(" · ")}>
        {turn.stages.map(({ name, from, to }) => (
          <span key={name} class={name} style={{ width: `${(100 * (to - from)) / longest}%` }} />
        ))}
      </span>
      <span class="turn-end">{seconds(turn.end)}</span>
      <span class="visually-hidden">{said.join(", ")}</span>
    </li>
  );
}

function seconds(value: number): string {
  return t("seconds", { value: value.toFixed(2) });
}
