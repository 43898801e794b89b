// Formulas as MathML, drawn by the browser itself: no fonts, no styles. A file of its own, loaded with the first formula.
import katex from "katex";

const MOST_EXPANSIONS = 500;

/** Draws a formula into `place`. Mistakes in it are shown as the text that it was. */
export function draw(place: HTMLElement, formula: string, display: boolean): void {
  const drawn = document.createElement("span");
  try {
    katex.render(formula, drawn, {
      output: "mathml",
      displayMode: display,
      throwOnError: true,
      trust: false,
      strict: "ignore",
      maxExpand: MOST_EXPANSIONS,
      maxSize: 20,
    });
  } catch {
    drawn.textContent = formula;
  }
  place.replaceChildren(drawn);
}
