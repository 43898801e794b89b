// Where a turn's time went, stage after stage: "why was that slow?". Pure.
import type { Timings } from "./protocol";

export type StageName = "stageHear" | "stageRead" | "stageBegin" | "stageWrite";

/** One stage, in seconds since the utterance was complete. */
export interface Stage {
  name: StageName;
  from: number;
  to: number;
}

/** A turn that is over. */
export interface PastTurn {
  turn: number;
  question: string;
  stages: readonly Stage[];
  /** When its first sound was sent; null if it was not spoken. */
  firstSound: number | null;
  end: number;
}

const MOMENTS: readonly (readonly [StageName, keyof Timings])[] = [
  ["stageHear", "transcript_s"],
  ["stageRead", "prefill_s"],
  ["stageBegin", "first_token_s"],
  ["stageWrite", "end_s"],
];

/** The stages of a turn, one after the other; a stage that did not happen is part of the next one. */
export function stages(timings: Timings): Stage[] {
  const found: Stage[] = [];
  let from = 0;
  for (const [name, moment] of MOMENTS) {
    const to = timings[moment];
    if (to == null || to <= from) continue;
    found.push({ name, from, to });
    from = to;
  }
  return found;
}

/** The turn as it is shown, or null if nothing is known of its times. */
export function pastTurn(turn: number, question: string, timings: Timings): PastTurn | null {
  const parts = stages(timings);
  const end = parts.at(-1)?.to;
  return end === undefined ? null : { turn, question, stages: parts, firstSound: timings.first_audio_s ?? null, end };
}
