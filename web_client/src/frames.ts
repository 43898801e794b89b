// Audio frames: the binary messages that carry sound, laid out as docs/reference/protocol.md shows.

export const FRAME_VERSION = 1;
export const HEADER_BYTES = 12;
export const MAX_PCM_BYTES = 256 * 1024;

export const FrameKind = { microphone: 1, speech: 2 } as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

export interface AudioFrame {
  kind: FrameKind;
  /** The `id` of the `listen` for microphone frames, the turn for speech frames. */
  stream: number;
  /** The frame's number in its stream, from 0. */
  sequence: number;
  /** Mono samples, 16 bits. */
  samples: Int16Array;
}

/** The frame as one binary message. */
export function encodeFrame(frame: AudioFrame): ArrayBuffer {
  const buffer = new ArrayBuffer(HEADER_BYTES + frame.samples.length * 2);
  const view = new DataView(buffer);
  view.setUint8(0, FRAME_VERSION);
  view.setUint8(1, frame.kind);
  view.setUint32(4, frame.stream, true);
  view.setUint32(8, frame.sequence, true);
  frame.samples.forEach((sample, index) => view.setInt16(HEADER_BYTES + index * 2, sample, true));
  return buffer;
}

/** The frame in one binary message, or null if it is none. */
export function decodeFrame(data: ArrayBuffer): AudioFrame | null {
  const bytes = data.byteLength - HEADER_BYTES;
  if (bytes < 0 || bytes % 2 !== 0 || bytes > MAX_PCM_BYTES) return null;
  const view = new DataView(data);
  const kind = view.getUint8(1);
  if (view.getUint8(0) !== FRAME_VERSION || (kind !== FrameKind.microphone && kind !== FrameKind.speech)) return null;
  const samples = new Int16Array(bytes / 2);
  for (let index = 0; index < samples.length; index++) samples[index] = view.getInt16(HEADER_BYTES + index * 2, true);
  return { kind, stream: view.getUint32(4, true), sequence: view.getUint32(8, true), samples };
}
