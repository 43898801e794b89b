// Playback worklet: plays the queued sound of turns and tells how far it is.
import { JitterBuffer } from "./jitter";

const BUFFER_S = 0.1;
const REPORT_S = 0.1;

export type PlaybackCommand =
  | { type: "speech"; turn: number; samples: Float32Array }
  | { type: "end"; turn: number }
  | { type: "flush"; turn: number };

export type PlaybackReport =
  | { type: "played"; turn: number; seconds: number; underruns: number }
  | { type: "finished"; turn: number };

class Playback extends AudioWorkletProcessor {
  #buffer = new JitterBuffer(BUFFER_S * sampleRate);
  #sinceReport = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<PlaybackCommand>) => {
      switch (data.type) {
        case "speech":
          return this.#buffer.push(data.turn, data.samples);
        case "end":
          return this.#buffer.end(data.turn);
        case "flush":
          return this.#buffer.flush(data.turn);
      }
    };
  }

  override process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const output = outputs[0]?.[0];
    if (output === undefined) return true;
    const progress = this.#buffer.pull(output);
    this.#sinceReport += output.length;
    if (progress !== null && this.#sinceReport >= REPORT_S * sampleRate) {
      this.#sinceReport = 0;
      const { turn, played } = progress;
      this.#tell({ type: "played", turn, seconds: played / sampleRate, underruns: this.#buffer.underruns });
    }
    for (const turn of this.#buffer.finished()) this.#tell({ type: "finished", turn });
    return true;
  }

  #tell(report: PlaybackReport): void {
    this.port.postMessage(report);
  }
}

registerProcessor("playback", Playback);
