// Telemetry as the page shows it: ten minutes of series, and gauges for what is known. Pure.
import type { Telemetry, TelemetryHistory } from "./protocol";

export const CHART_SECONDS = 600;

/** Each series has one value for each time, null where it was not known. `times` in seconds since the epoch. */
export interface Chart {
  times: readonly number[];
  series: Readonly<Record<string, readonly (number | null)[]>>;
}

export const EMPTY_CHART: Chart = { times: [], series: {} };

/** The chart that the daemon's history begins. */
export function charted(history: TelemetryHistory): Chart {
  return trimmed({ times: history.times ?? [], series: history.series ?? {} });
}

/** The chart with one more sample; one that is not newer changes nothing. */
export function extended(chart: Chart, sample: Telemetry): Chart {
  const last = chart.times.at(-1);
  if (last !== undefined && sample.time <= last) return chart;
  const values = flat(sample);
  const blank = chart.times.map(() => null);
  const names = new Set([...Object.keys(chart.series), ...Object.keys(values)]);
  const series = Object.fromEntries(
    [...names].map((name) => [name, [...(chart.series[name] ?? blank), values[name] ?? null]]),
  );
  return trimmed({ times: [...chart.times, sample.time], series });
}

function trimmed(chart: Chart): Chart {
  const last = chart.times.at(-1) ?? 0;
  const first = chart.times.findIndex((time) => time > last - CHART_SECONDS);
  if (first <= 0) return chart;
  const series = Object.entries(chart.series).map(([name, values]) => [name, values.slice(first)] as const);
  return { times: chart.times.slice(first), series: Object.fromEntries(series) };
}

/** A sample's values by the names of the history's series. */
export function flat(sample: Telemetry): Record<string, number> {
  const found: Record<string, number> = {};
  const add = (name: string, value: unknown) => {
    if (typeof value === "number") found[name] = value;
  };
  for (const name of ["cpu", "memory_available", "tokens_per_s"] as const) add(name, sample[name]);
  for (const gpu of sample.gpu ?? []) {
    for (const name of ["vram_used", "utilisation", "power_w", "temperature_c"] as const) {
      add(`gpu.${gpu.index}.${name}`, gpu[name]);
    }
  }
  for (const [worker, share] of Object.entries(sample.workers ?? {})) {
    add(`worker.${worker}.cpu`, share.cpu);
    add(`worker.${worker}.rss`, share.rss);
  }
  add("daemon.rss", sample.daemon?.rss);
  return found;
}

export type GaugeName = "vram" | "gpuLoad" | "power" | "temperature" | "cpu" | "ram" | "speed";

/** One figure of the header. `full` is what fills its bar; null means that there is no such limit. */
export interface Gauge {
  name: GaugeName;
  value: number;
  full: number | null;
  unit: "bytes" | "%" | "W" | "°C" | "tok/s";
}

const HOTTEST_C = 100;

/** The figures at a glance: those of the first graphics card, or of the computer where there is none. */
export function gauges(sample: Telemetry | null, tokensPerSecond: number | null): Gauge[] {
  const found: Gauge[] = [];
  const add = (name: GaugeName, value: number | null | undefined, full: number | null, unit: Gauge["unit"]) => {
    if (value != null) found.push({ name, value, full, unit });
  };
  const card = sample?.gpu?.[0];
  if (card !== undefined) {
    add("vram", card.vram_used, card.vram_total ?? null, "bytes");
    add("gpuLoad", card.utilisation, 100, "%");
    add("power", card.power_w, card.power_limit_w ?? null, "W");
    add("temperature", card.temperature_c, HOTTEST_C, "°C");
  } else if (sample !== null) {
    add("cpu", sample.cpu, 100, "%");
    const { memory_total: total, memory_available: available } = sample;
    if (total != null && available != null) add("ram", total - available, total, "bytes");
  }
  add("speed", sample?.tokens_per_s ?? tokensPerSecond, null, "tok/s");
  return found;
}

const UNITS = ["B", "KB", "MB", "GB", "TB"] as const;

/** Bytes as people read them: three digits, and a unit of 1024 of the one before. */
export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size >= 99.95 || unit === 0 ? size.toFixed(0) : size.toFixed(1)} ${UNITS[unit]}`;
}

/** A gauge's number with its unit; `speed` puts tokens per second into words. */
export function reading({ value, full, unit }: Gauge, speed: (value: string) => string): string {
  if (unit === "bytes") return full === null ? bytes(value) : `${bytes(value)} / ${bytes(full)}`;
  if (unit === "tok/s") return speed(value.toFixed(1));
  return `${Math.round(value)}${unit === "%" ? "" : " "}${unit}`;
}
