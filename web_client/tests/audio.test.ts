import { expect, test } from "vitest";
import { JitterBuffer } from "../src/audio/jitter";
import { loudness, Resampler, toFloat32, toInt16 } from "../src/audio/pcm";

const tone = (rate: number, seconds: number, hertz = 440) =>
  Float32Array.from({ length: rate * seconds }, (_, index) => 0.5 * Math.sin((2 * Math.PI * hertz * index) / rate));

function inPieces(resampler: Resampler, input: Float32Array, size: number): number[] {
  const output: number[] = [];
  for (let at = 0; at < input.length; at += size) output.push(...resampler.push(input.subarray(at, at + size)));
  return output;
}

test("samples are clipped, not wrapped", () => {
  expect([...toInt16(Float32Array.of(2, -2, 0, 0.5))]).toEqual([32767, -32767, 0, 16384]);
  expect([...toFloat32(Int16Array.of(-32768, 0))]).toEqual([-1, 0]);
});

test("loudness is the root mean square", () => {
  expect(loudness(Float32Array.of(0.5, -0.5))).toBeCloseTo(0.5);
  expect(loudness(new Float32Array(0))).toBe(0);
});

test.each([
  [48_000, 16_000],
  [44_100, 16_000],
  [16_000, 48_000],
  [22_050, 48_000],
])("from %i to %i Hz the pieces do not matter and a tone stays that tone", (from, to) => {
  const input = tone(from, 0.5);
  const whole = inPieces(new Resampler(from, to), input, input.length);
  const pieces = inPieces(new Resampler(from, to), input, 128);
  expect(Math.abs(pieces.length - to * 0.5)).toBeLessThan(5);
  expect(pieces.length).toBe(whole.length);
  expect(Math.max(...pieces.map((sample, index) => Math.abs(sample - (whole[index] ?? 0))))).toBeLessThan(1e-4);
  expect(loudness(Float32Array.from(pieces))).toBeCloseTo(0.5 / Math.SQRT2, 1);
});

test("the same rate changes nothing", () => {
  const input = tone(16_000, 0.01);
  expect(new Resampler(16_000, 16_000).push(input)).toEqual(input);
});

const ones = (count: number, value = 1) => new Float32Array(count).fill(value);
function pull(buffer: JitterBuffer, count: number): number[] {
  const output = new Float32Array(count);
  buffer.pull(output);
  return [...output];
}

test("playing waits until enough is there, then loses nothing", () => {
  const buffer = new JitterBuffer(10);
  buffer.push(1, Float32Array.of(1, 2, 3, 4));
  expect(pull(buffer, 4)).toEqual([0, 0, 0, 0]);
  buffer.push(1, Float32Array.of(5, 6, 7, 8, 9, 10));
  expect(pull(buffer, 4)).toEqual([1, 2, 3, 4]);
  expect(pull(buffer, 6)).toEqual([5, 6, 7, 8, 9, 10]);
  expect(buffer.underruns).toBe(0);
});

test("a short answer plays once it is complete", () => {
  const buffer = new JitterBuffer(100);
  buffer.push(1, ones(2));
  buffer.end(1);
  expect(pull(buffer, 4)).toEqual([1, 1, 0, 0]);
  expect(buffer.underruns).toBe(0);
  expect(buffer.finished()).toEqual([1]);
  expect(buffer.finished()).toEqual([]);
});

test("sound that runs out in the middle is an underrun, and fills again", () => {
  const buffer = new JitterBuffer(4);
  buffer.push(1, ones(4));
  expect(pull(buffer, 6)).toEqual([1, 1, 1, 1, 0, 0]);
  expect(buffer.underruns).toBe(1);
  buffer.push(1, ones(2));
  expect(pull(buffer, 2)).toEqual([0, 0]);
  buffer.push(1, ones(2));
  expect(pull(buffer, 4)).toEqual([1, 1, 1, 1]);
});

test("a flush silences the turn at once, and what arrives later for it", () => {
  const buffer = new JitterBuffer(2);
  buffer.push(1, ones(8));
  pull(buffer, 3);
  buffer.flush(1);
  buffer.push(1, ones(8));
  expect(buffer.queued).toBe(0);
  expect(pull(buffer, 4)).toEqual([0, 0, 0, 0]);
  buffer.push(2, ones(4, 2));
  expect(pull(buffer, 4)).toEqual([2, 2, 2, 2]);
});

test("a flush leaves later turns whole", () => {
  const buffer = new JitterBuffer(2);
  buffer.push(1, ones(4));
  buffer.push(2, ones(3, 2));
  pull(buffer, 2);
  buffer.flush(1);
  expect(buffer.queued).toBe(3);
  expect(pull(buffer, 3)).toEqual([2, 2, 2]);
});

test("the progress counts each turn's own samples", () => {
  const buffer = new JitterBuffer(1);
  buffer.push(1, ones(3));
  buffer.push(2, ones(3));
  expect(buffer.pull(new Float32Array(3))).toEqual({ turn: 1, played: 3 });
  expect(buffer.pull(new Float32Array(2))).toEqual({ turn: 2, played: 2 });
  expect(buffer.pull(new Float32Array(1))).toEqual({ turn: 2, played: 3 });
  expect(buffer.pull(new Float32Array(1))).toBeNull();
});
