import { expect, test } from "vitest";
import type { Telemetry } from "../src/protocol";
import { initial, reduce } from "../src/state";
import { bytes, CHART_SECONDS, charted, EMPTY_CHART, extended, gauges, reading } from "../src/telemetry";

const GIB = 1024 ** 3;
const sample = (time: number, more: Partial<Telemetry> = {}): Telemetry => ({ type: "telemetry", time, ...more });
const CARD = { index: 0, vram_used: 5 * GIB, vram_total: 8 * GIB, utilisation: 41.6, power_w: 72.4, temperature_c: 61 };

test("samples go on where the history ends, and unknown values stay unknown", () => {
  const chart = charted({ type: "telemetry_history", times: [1, 2], series: { cpu: [10, null] } });
  const longer = extended(chart, sample(3, { cpu: 30, workers: { llm: { pid: 1, cpu: 80, rss: 5 } } }));
  expect(longer.times).toEqual([1, 2, 3]);
  expect(longer.series["cpu"]).toEqual([10, null, 30]);
  expect(longer.series["worker.llm.rss"]).toEqual([null, null, 5]);
  expect(extended(longer, sample(4)).series["cpu"]).toEqual([10, null, 30, null]);
});

test("a sample that came before adds nothing", () => {
  const chart = extended(EMPTY_CHART, sample(5, { cpu: 1 }));
  expect(extended(chart, sample(5, { cpu: 2 }))).toBe(chart);
});

test("ten minutes are kept", () => {
  let chart = EMPTY_CHART;
  for (let time = 0; time <= 2 * CHART_SECONDS; time += 10) chart = extended(chart, sample(time, { cpu: time }));
  expect(chart.times[0]).toBe(CHART_SECONDS + 10);
  expect(chart.series["cpu"]).toHaveLength(chart.times.length);
});

test("a card's figures are shown, and what its driver does not tell is absent", () => {
  const shown = (card: object) => gauges(sample(1, { gpu: [{ ...CARD, ...card }], cpu: 3 }), null).map((gauge) => reading(gauge, (value) => `${value} tok/s`));
  expect(shown({})).toEqual(["5.0 GB / 8.0 GB", "42%", "72 W", "61 °C"]);
  expect(shown({ power_w: null, temperature_c: null })).toEqual(["5.0 GB / 8.0 GB", "42%"]);
});

test("without a card the computer's own figures are shown", () => {
  const figures = gauges(sample(1, { cpu: 37.2, memory_total: 16 * GIB, memory_available: 10 * GIB }), 12.34);
  expect(figures.map((gauge) => reading(gauge, (value) => `${value} tok/s`))).toEqual(["37%", "6.0 GB / 16.0 GB", "12.3 tok/s"]);
  expect(gauges(null, null)).toEqual([]);
});

test.each([
  [0, "0 B"],
  [1023, "1.0 KB"],
  [1536, "1.5 KB"],
  [157 * 1024 ** 2, "157 MB"],
  [999.9 * 1024 ** 2, "1.0 GB"],
])("%d bytes are %s", (value, words) => {
  expect(bytes(value)).toBe(words);
});

test("what happens to an engine is kept with the time of the last sample, once for each state", () => {
  const loading = { type: "engine_changed", engine: "llm", info: { state: "loading" } } as const;
  const status = { state: "ready", version: "1", pid: 1, port: 1, engines: {}, gpu: [], sessions: 0, uptime_s: 0 };
  const state = [
    { type: "welcome", id: 1, version: 1, daemon: "1", status } as const,
    sample(7),
    loading,
    loading,
    { ...loading, info: { state: "ready" } },
  ].reduce(reduce, initial);
  expect(state.events.map(({ time, state: now }) => [time, now])).toEqual([[7, "ready"], [7, "loading"]]);
});
