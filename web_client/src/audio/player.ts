// The player: the spoken answers of turns, one after the other.
import playbackUrl from "./playback-worklet?worker&url";
import type { PlaybackCommand, PlaybackReport } from "./playback-worklet";
import { Resampler, toFloat32 } from "./pcm";

export class Player {
  readonly #report: (report: PlaybackReport) => void;
  #context: AudioContext | null = null;
  #node: Promise<AudioWorkletNode> | null = null;
  /** The worklet's number and the resampler of each turn that is being sent. Turns may be spoken again later. */
  #streams = new Map<number, { key: number; resampler: Resampler }>();
  #turns = new Map<number, number>();
  #keys = 0;

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
    const context = this.#open();
    const key = ++this.#keys;
    this.#turns.set(key, turn);
    this.#streams.set(turn, { key, resampler: new Resampler(rate, context.sampleRate) });
    await this.#ready();
    if (context.state === "suspended") await Promise.race([context.resume(), pause(300)]);
  }

  play(turn: number, samples: Int16Array): void {
    const stream = this.#streams.get(turn);
    if (stream === undefined) return;
    this.#send({ type: "speech", turn: stream.key, samples: stream.resampler.push(toFloat32(samples)) });
  }

  end(turn: number): void {
    const stream = this.#streams.get(turn);
    if (stream === undefined) return;
    this.#streams.delete(turn);
    this.#send({ type: "end", turn: stream.key });
  }

  /** Silence at once: forgets the sound of `turn` and of all that began before it, by default of everything. */
  flush(turn?: number): void {
    const keys = [...this.#turns].filter(([, whose]) => turn === undefined || whose === turn).map(([key]) => key);
    const last = Math.max(0, ...keys);
    if (last === 0) return;
    for (const [whose, { key }] of this.#streams) if (key <= last) this.#streams.delete(whose);
    for (const key of this.#turns.keys()) if (key <= last) this.#turns.delete(key);
    this.#send({ type: "flush", turn: last });
  }

  /** The worklet's report about the turn that it is about. */
  #heard(report: PlaybackReport): void {
    const turn = this.#turns.get(report.turn);
    if (turn === undefined) return;
    if (report.type === "finished") this.#turns.delete(report.turn);
    this.#report({ ...report, turn });
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
    node.port.onmessage = ({ data }: MessageEvent<PlaybackReport>) => this.#heard(data);
    node.connect(context.destination);
    return node;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
