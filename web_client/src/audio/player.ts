// The player: the spoken answers of turns, one after the other.
import playbackUrl from "./playback-worklet?worker&url";
import type { PlaybackCommand, PlaybackReport } from "./playback-worklet";
import { Resampler, toFloat32 } from "./pcm";

export class Player {
  readonly #report: (report: PlaybackReport) => void;
  #context: AudioContext | null = null;
  #node: Promise<AudioWorkletNode> | null = null;
  #resamplers = new Map<number, Resampler>();
  #highest = 0;
  #flushed = 0;

  constructor(report: (report: PlaybackReport) => void) {
    this.#report = report;
  }

  /** Call from a click or key press: browsers let sound begin only then. */
  unlock(): void {
    void this.#ready().catch(() => undefined);
    if (this.#context?.state === "suspended") void this.#context.resume();
  }

  /** Whether the browser holds back the sound until the person does something. */
  get suspended(): boolean {
    return this.#context?.state === "suspended";
  }

  /** Speech of `turn` with `rate` samples a second follows. Rejects if there is no sound output. */
  async begin(turn: number, rate: number): Promise<void> {
    this.#highest = Math.max(this.#highest, turn);
    const context = this.#open();
    this.#resamplers.set(turn, new Resampler(rate, context.sampleRate));
    await this.#ready();
    if (context.state === "suspended") await Promise.race([context.resume(), pause(300)]);
  }

  play(turn: number, samples: Int16Array): void {
    const resampler = this.#resamplers.get(turn);
    if (resampler !== undefined) this.#send({ type: "speech", turn, samples: resampler.push(toFloat32(samples)) });
  }

  end(turn: number): void {
    if (this.#resamplers.delete(turn)) this.#send({ type: "end", turn });
  }

  /** Silence at once: forgets all sound of turns up to `turn`, by default all that began. */
  flush(turn = this.#highest): void {
    if (turn <= this.#flushed) return;
    this.#flushed = turn;
    for (const known of this.#resamplers.keys()) if (known <= turn) this.#resamplers.delete(known);
    this.#send({ type: "flush", turn });
  }

  #send(command: PlaybackCommand): void {
    void this.#node?.then((node) => node.port.postMessage(command)).catch(() => undefined);
  }

  #open(): AudioContext {
    this.#context ??= new AudioContext({ latencyHint: "interactive" });
    return this.#context;
  }

  #ready(): Promise<AudioWorkletNode> {
    this.#node ??= this.#start(this.#open());
    return this.#node;
  }

  async #start(context: AudioContext): Promise<AudioWorkletNode> {
    await context.audioWorklet.addModule(playbackUrl);
    const node = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    node.port.onmessage = ({ data }: MessageEvent<PlaybackReport>) => this.#report(data);
    node.connect(context.destination);
    return node;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
