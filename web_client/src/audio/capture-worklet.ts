// Capture worklet: the microphone as blocks of 20 ms, 16 kHz, mono, 16 bits, whatever the context's rate is.
import { Resampler, loudness, toInt16 } from "./pcm";

export const RATE = 16_000;
const BLOCK = 320;

export type CaptureMessage = { type: "block"; samples: Int16Array; level: number } | { type: "end" };

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE);
  #block = new Float32Array(BLOCK);
  #filled = 0;
  #over = false;

  constructor() {
    super();
    this.port.onmessage = () => {
      this.#over = true;
      if (this.#filled > 0) this.#post(this.#block.slice(0, this.#filled));
      this.port.postMessage({ type: "end" } satisfies CaptureMessage);
    };
  }

  override process(inputs: Float32Array[][]): boolean {
    if (this.#over) return false;
    const channel = inputs[0]?.[0];
    if (channel === undefined) return true;
    for (const sample of this.#resampler.push(channel)) {
      this.#block[this.#filled++] = sample;
      if (this.#filled === BLOCK) {
        this.#post(this.#block);
        this.#filled = 0;
      }
    }
    return true;
  }

  #post(block: Float32Array): void {
    const samples = toInt16(block);
    const message: CaptureMessage = { type: "block", samples, level: loudness(block) };
    this.port.postMessage(message, [samples.buffer]);
  }
}

registerProcessor("capture", Capture);
