// The machine at a glance: a bar and a number for each figure that is known.
import { type Key, t } from "../../i18n";
import { state } from "../../store";
import { type Gauge, type GaugeName, gauges, reading } from "../../telemetry";

export const GAUGE_NAMES: Record<GaugeName, Key> = {
  vram: "gaugeVram",
  gpuLoad: "gaugeGpu",
  power: "gaugePower",
  temperature: "gaugeTemperature",
  cpu: "gaugeCpu",
  ram: "gaugeRam",
  speed: "gaugeSpeed",
};

export function Gauges() {
  const { telemetry, lastTokensPerSecond, link } = state.value;
  if (link.phase !== "open") return null;
  return (
    <span class="gauges">
      {gauges(telemetry, lastTokensPerSecond).map((gauge) => (
        <OneGauge key={gauge.name} gauge={gauge} />
      ))}
    </span>
  );
}

/** A gauge's number in the person's language. */
export function shownReading(gauge: Gauge): string {
  return reading(gauge, (value) => t("tokensEachSecond", { value }));
}

function OneGauge({ gauge }: { gauge: Gauge }) {
  return (
    <span class={`gauge ${gauge.name}`}>
      <span class="gauge-name">{t(GAUGE_NAMES[gauge.name])}</span>{" "}
      {gauge.full !== null && <Bar part={gauge.value / gauge.full} />}
      <span class="gauge-value">{shownReading(gauge)}</span>{" "}
    </span>
  );
}

export function Bar({ part }: { part: number }) {
  const shown = Math.max(0, Math.min(1, part));
  return (
    <span class={shown > 0.9 ? "bar full" : "bar"} aria-hidden="true">
      <span style={{ transform: `scaleX(${shown.toFixed(3)})` }} />
    </span>
  );
}
