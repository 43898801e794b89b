// The microphone: open while a person holds the button, and not a moment longer.
import captureUrl from "./capture-worklet?worker&url";
import type { CaptureMessage } from "./capture-worklet";

const RATE = 16_000;
const WANTED: MediaTrackConstraints = {
  channelCount: 1,
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};

export interface MicrophoneEvents {
  /** 20 ms of sound, 16 kHz; `level` is its loudness, 0..1. */
  block(samples: Int16Array, level: number): void;
  /** The device went away while it was open. */
  lost(): void;
}

export class Microphone {
  readonly #stream: MediaStream;
  readonly #context: AudioContext;
  readonly #node: AudioWorkletNode;

  private constructor(stream: MediaStream, context: AudioContext, node: AudioWorkletNode) {
    this.#stream = stream;
    this.#context = context;
    this.#node = node;
  }

  /** Asks for the device and starts. Rejects with the browser's DOMException, named `NotAllowedError` and the like. */
  static async open(events: MicrophoneEvents): Promise<Microphone> {
    if (navigator.mediaDevices === undefined) throw new DOMException("no mediaDevices", "NotSupportedError");
    const stream = await navigator.mediaDevices.getUserMedia({ audio: WANTED });
    let context: AudioContext | undefined;
    try {
      let source: MediaStreamAudioSourceNode;
      [context, source] = connect(stream);
      await context.audioWorklet.addModule(captureUrl);
      const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, channelCount: 1 });
      node.port.onmessage = ({ data }: MessageEvent<CaptureMessage>) => {
        if (data.type === "block") events.block(data.samples, data.level);
      };
      for (const track of stream.getTracks()) track.addEventListener("ended", () => events.lost());
      source.connect(node);
      await context.resume();
      return new Microphone(stream, context, node);
    } catch (error) {
      release(stream, context);
      throw error;
    }
  }

  /** Closes the device. Blocks captured before are all delivered when this resolves. */
  async close(): Promise<void> {
    const end = new Promise<void>((resolve) => {
      this.#node.port.addEventListener("message", ({ data }: MessageEvent<CaptureMessage>) => {
        if (data.type === "end") resolve();
      });
    });
    this.#node.port.postMessage("end");
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, 200))]);
    release(this.#stream, this.#context);
  }
}

/** Firefox refuses a microphone in a context of another rate; the worklet resamples there. */
function connect(stream: MediaStream): [AudioContext, MediaStreamAudioSourceNode] {
  let context: AudioContext | undefined;
  try {
    context = new AudioContext({ sampleRate: RATE });
    return [context, context.createMediaStreamSource(stream)];
  } catch {
    void context?.close();
    context = new AudioContext();
    return [context, context.createMediaStreamSource(stream)];
  }
}

function release(stream: MediaStream, context: AudioContext | undefined): void {
  for (const track of stream.getTracks()) track.stop();
  void context?.close();
}
