// Drawing of one chart with uPlot. A file of its own, loaded with the first look at the charts.
import uPlot from "uplot";
import { CHART_SECONDS } from "../../telemetry";
import "uplot/dist/uPlot.min.css";

export interface Drawn {
  update(data: readonly (readonly (number | null)[])[]): void;
  destroy(): void;
}

interface Looks {
  labels: readonly string[];
  /** The top of the scale, null to fit it to the values. */
  full: number | null;
  language: string;
  shown(value: number): string;
}

const HEIGHT = 120;
const COLOURS = ["--accent", "--good", "--busy", "--danger"];

export function draw(place: HTMLElement, data: readonly (readonly (number | null)[])[], looks: Looks): Drawn {
  const style = getComputedStyle(document.documentElement);
  // Custom properties hold light-dark(); only a property that takes colours tells which one is in force.
  const probe = document.createElement("span");
  place.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const soft = colour("--soft");
  const line = colour("--line");
  const strokes = COLOURS.map(colour);
  probe.remove();
  const font = `11px ${style.fontFamily}`;
  const axis = { stroke: soft, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const time = new Intl.DateTimeFormat(looks.language, { hour: "2-digit", minute: "2-digit", hour12: false });
  const plot = new uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      scales: {
        x: { range: (_, __, latest) => [latest - CHART_SECONDS, latest] },
        y: { range: (_, least, most) => [0, looks.full ?? Math.max(most * 1.15, least + 1, 1)] },
      },
      axes: [
        { ...axis, size: 26, space: 60, incrs: [60, 120, 300], values: (_, times) => times.map((value) => time.format(value * 1000)) },
        { ...axis, size: 66, space: 28, values: (_, values) => values.map(looks.shown) },
      ],
      series: [
        {},
        ...looks.labels.map((label, index) => ({
          label,
          stroke: strokes[index % strokes.length] ?? soft,
          width: 1.8,
          points: { show: false },
        })),
      ],
    },
    data as uPlot.AlignedData,
    place,
  );
  const resized = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT }));
  resized.observe(place);
  return {
    update: (changed) => plot.setData(changed as uPlot.AlignedData),
    destroy: () => {
      resized.disconnect();
      plot.destroy();
    },
  };
}
