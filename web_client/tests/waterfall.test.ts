import { expect, test } from "vitest";
import { initial, reduce } from "../src/state";
import { pastTurn, stages } from "../src/waterfall";

test("stages follow each other from the end of the utterance to the end of the answer", () => {
  const timings = { transcript_s: 0.4, prefill_s: 1.5, first_token_s: 1.6, first_audio_s: 2, end_s: 5 };
  expect(stages(timings)).toEqual([
    { name: "stageHear", from: 0, to: 0.4 },
    { name: "stageRead", from: 0.4, to: 1.5 },
    { name: "stageBegin", from: 1.5, to: 1.6 },
    { name: "stageWrite", from: 1.6, to: 5 },
  ]);
});

test("a stage that did not happen is part of the next one, and no stage goes back in time", () => {
  expect(stages({ first_token_s: 1, end_s: 3 })).toEqual([
    { name: "stageBegin", from: 0, to: 1 },
    { name: "stageWrite", from: 1, to: 3 },
  ]);
  expect(stages({ prefill_s: 2, first_token_s: 1, end_s: 3 }).map(({ from, to }) => [from, to])).toEqual([[0, 2], [2, 3]]);
  expect(pastTurn(1, "?", {})).toBeNull();
});

test("the last eight turns are kept, newest first, with their questions", () => {
  const state = Array.from({ length: 10 }, (_, index) => index + 1)
    .flatMap((turn) => [
      { type: "local/submitted", request: turn, session: "s", text: `질문 ${turn}` } as const,
      { type: "turn_started", turn, session: "s", id: turn, text: `질문 ${turn}` } as const,
      { type: "done", turn, session: "s", finish: "stop", reply: "답", timings: { end_s: turn } } as const,
    ])
    .reduce(reduce, initial);
  expect(state.turns.map(({ question, end }) => [question, end])).toEqual(
    [10, 9, 8, 7, 6, 5, 4, 3].map((turn) => [`질문 ${turn}`, turn]),
  );
});
