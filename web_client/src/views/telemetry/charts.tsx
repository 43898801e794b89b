// Ten minutes of the machine as charts. The drawing code comes with the first look at them.
import { useEffect, useRef } from "preact/hooks";
import { type Key, language, t } from "../../i18n";
import { state } from "../../store";
import { bytes, type Chart } from "../../telemetry";
import { theme } from "../../theme";
import type { Drawn } from "./draw";
import { engineName } from "./engines";

interface Wanted {
  title: Key;
  /** Series that are drawn together, each by its name in the chart. */
  pattern: RegExp;
  unit: "%" | "bytes" | "W" | "°C" | "tok/s";
  full?: number;
}

const WANTED: readonly Wanted[] = [
  { title: "gaugeGpu", pattern: /^gpu\.\d+\.utilisation$/, unit: "%", full: 100 },
  { title: "gaugeVram", pattern: /^gpu\.\d+\.vram_used$/, unit: "bytes" },
  { title: "gaugePower", pattern: /^gpu\.\d+\.power_w$/, unit: "W" },
  { title: "gaugeTemperature", pattern: /^gpu\.\d+\.temperature_c$/, unit: "°C" },
  { title: "gaugeCpu", pattern: /^cpu$/, unit: "%", full: 100 },
  { title: "freeRam", pattern: /^memory_available$/, unit: "bytes" },
  { title: "workersRam", pattern: /^worker\.\w+\.rss$/, unit: "bytes" },
  { title: "gaugeSpeed", pattern: /^tokens_per_s$/, unit: "tok/s" },
];

function shownAs(value: number, unit: Wanted["unit"]): string {
  if (unit === "bytes") return bytes(value);
  if (unit === "tok/s") return t("tokensEachSecond", { value: value.toFixed(1) });
  return unit === "%" ? `${Math.round(value)}%` : `${value.toFixed(0)} ${unit}`;
}

export function Charts() {
  const { chart } = state.value;
  const drawn = WANTED.map((wanted) => ({
    wanted,
    names: Object.keys(chart.series)
      .filter((name) => wanted.pattern.test(name) && chart.series[name]?.some((value) => value !== null))
      .sort(),
  })).filter(({ names }) => names.length > 0);
  if (chart.times.length < 2 || drawn.length === 0) return <p class="soft">{t("noChart")}</p>;
  return (
    <div class="charts">
      {drawn.map(({ wanted, names }) => (
        <OneChart key={wanted.title} wanted={wanted} names={names} chart={chart} />
      ))}
    </div>
  );
}

function OneChart({ wanted, names, chart }: { wanted: Wanted; names: string[]; chart: Chart }) {
  const place = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawn | null>(null);
  const data = [chart.times, ...names.map((name) => chart.series[name] ?? [])];
  const latest = useRef(data);
  latest.current = data;
  const title = t(wanted.title);
  useEffect(() => {
    let gone = false;
    void import("./draw").then(({ draw }) => {
      if (gone || place.current === null) return;
      drawing.current = draw(place.current, latest.current, {
        labels: names,
        full: wanted.full ?? null,
        language: language.value,
        shown: (value) => shownAs(value, wanted.unit),
      });
    });
    return () => {
      gone = true;
      drawing.current?.destroy();
      drawing.current = null;
    };
  }, [names.join(), theme.value, language.value]);
  useEffect(() => drawing.current?.update(data), [chart]);
  return (
    <figure class="chart">
      <figcaption>
        {title} <Now names={names} chart={chart} unit={wanted.unit} />
      </figcaption>
      <div ref={place} class="chart-place" role="img" aria-label={t("chartOf", { title })} />
    </figure>
  );
}

/** The last value of each line, in its colour: what the chart says, for those who do not see it. */
function Now({ names, chart, unit }: { names: string[]; chart: Chart; unit: Wanted["unit"] }) {
  return (
    <span class="chart-now">
      {names.map((name, index) => {
        const value = chart.series[name]?.findLast((known) => known !== null);
        const worker = /^worker\.(\w+)/.exec(name)?.[1] ?? "";
        return (
          <span key={name} class={`line-${index}`}>
            {worker && engineName(worker)} {value == null ? "" : shownAs(value, unit)}
          </span>
        );
      })}
    </span>
  );
}
