import { expect, test } from "vitest";
import { decodeFrame, encodeFrame, FrameKind, HEADER_BYTES, MAX_PCM_BYTES } from "../src/frames";

const bytes = (...values: number[]) => Uint8Array.from(values).buffer;

test("a frame has the layout that the daemon's tests pin", () => {
  const samples = Int16Array.of(-32767);
  const data = encodeFrame({ kind: FrameKind.speech, stream: 0x01020304, sequence: 5, samples });
  expect([...new Uint8Array(data)]).toEqual([1, 2, 0, 0, 4, 3, 2, 1, 5, 0, 0, 0, 1, 0x80]);
});

test("a frame comes back as it was packed", () => {
  const samples = Int16Array.of(0, 1, -1, 32767, -32768);
  const frame = { kind: FrameKind.microphone, stream: 2 ** 32 - 1, sequence: 7, samples };
  expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
});

test.each([
  ["too short", bytes(1, 2, 0, 0, 4)],
  ["of another version", bytes(9, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)],
  ["of an unknown kind", bytes(1, 7, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)],
  ["with half a sample", bytes(1, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1)],
  ["too long", new ArrayBuffer(HEADER_BYTES + MAX_PCM_BYTES + 2)],
])("a frame %s is none", (_, data) => {
  expect(decodeFrame(data)).toBeNull();
});
