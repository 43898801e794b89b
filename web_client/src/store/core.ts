// The page's state as a signal, changed by what the daemon says and by what a person does.
import { computed, signal } from "@preact/signals";
import { type Action, type Happening, initial, reduce, runningTurn, type State } from "../state";

const SPEAK_STORED = "aimark.speak";
const HIDDEN_MS = 200;

export const state = signal<State>(initial);
/** What is in the composer, by hand or put back after a failure. */
export const draft = signal("");
/** Whether answers are spoken. */
export const speak = signal(localStorage.getItem(SPEAK_STORED) !== "off");
export const turn = computed(() => runningTurn(state.value));

let queue: Happening[] = [];
let drawing = false;

/** Changes the state now, after what the daemon said before. */
export function dispatch(action: Action): void {
  const events = [...queue, action];
  queue = [];
  state.value = events.reduce(reduce, state.value);
}

/** Takes the daemon's message in at the next frame: a fast model sends more words than a screen can draw. */
export function enqueue(message: Happening): void {
  queue.push(message);
  if (drawing) return;
  drawing = true;
  const drain = () => {
    if (!drawing) return;
    drawing = false;
    const events = queue;
    queue = [];
    if (events.length > 0) state.value = events.reduce(reduce, state.value);
  };
  requestAnimationFrame(drain);
  setTimeout(drain, HIDDEN_MS); // a hidden page draws no frames
}

export function rememberSpeak(on: boolean): void {
  speak.value = on;
  localStorage.setItem(SPEAK_STORED, on ? "on" : "off");
}

export function dismiss(key: number): void {
  dispatch({ type: "local/dismissed", key });
}
