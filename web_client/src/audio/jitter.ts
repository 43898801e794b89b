// The jitter buffer: queued sound of turns, played once enough is there to bridge late arrivals. Pure.

interface Piece {
  turn: number;
  samples: Float32Array;
}

export interface Progress {
  turn: number;
  /** Samples of the turn played so far. */
  played: number;
}

export class JitterBuffer {
  readonly #threshold: number;
  #pieces: Piece[] = [];
  #offset = 0;
  #queued = 0;
  #ended = new Set<number>();
  #flushed = 0;
  #filling = true;
  #played = new Map<number, number>();
  /** How often sound ran out in the middle of a turn. */
  underruns = 0;

  /** `threshold`: how many samples wait before playing begins. */
  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  /** Samples waiting. */
  get queued(): number {
    return this.#queued;
  }

  push(turn: number, samples: Float32Array): void {
    if (turn <= this.#flushed || samples.length === 0) return;
    this.#pieces.push({ turn, samples });
    this.#queued += samples.length;
  }

  /** All sound of the turn has arrived. */
  end(turn: number): void {
    this.#ended.add(turn);
  }

  /** Forgets the sound of every turn up to `turn`, also what is still to arrive. */
  flush(turn: number): void {
    const head = this.#pieces[0];
    if (head !== undefined && head.turn <= turn) this.#offset = 0;
    this.#flushed = Math.max(this.#flushed, turn);
    this.#pieces = this.#pieces.filter((piece) => piece.turn > turn);
    this.#queued = this.#pieces.reduce((sum, piece) => sum + piece.samples.length, 0) - this.#offset;
    this.#forget(turn);
    if (this.#queued === 0) this.#filling = true;
  }

  /** Fills `output` with what is due, silence where nothing is; tells whose sound it was. */
  pull(output: Float32Array): Progress | null {
    output.fill(0);
    if (this.#filling && !this.#ready()) return null;
    this.#filling = false;
    let written = 0;
    let turn = 0;
    while (written < output.length) {
      const piece = this.#pieces[0];
      if (piece === undefined) break;
      const part = piece.samples.subarray(this.#offset, this.#offset + output.length - written);
      output.set(part, written);
      written += part.length;
      turn = piece.turn;
      this.#offset += part.length;
      this.#queued -= part.length;
      this.#played.set(turn, (this.#played.get(turn) ?? 0) + part.length);
      if (this.#offset === piece.samples.length) {
        this.#pieces.shift();
        this.#offset = 0;
      }
    }
    if (written < output.length) {
      this.#filling = true;
      if (turn !== 0 && !this.#ended.has(turn)) this.underruns++;
    }
    return written === 0 ? null : { turn, played: this.#played.get(turn) ?? 0 };
  }

  /** Turns whose sound has been played to its end; each is told once. */
  finished(): number[] {
    const over = [...this.#ended].filter((turn) => !this.#pieces.some((piece) => piece.turn === turn));
    for (const turn of over) {
      this.#ended.delete(turn);
      this.#played.delete(turn);
    }
    return over;
  }

  #ready(): boolean {
    const head = this.#pieces[0];
    return head !== undefined && (this.#queued >= this.#threshold || this.#ended.has(head.turn));
  }

  #forget(turn: number): void {
    for (const known of [...this.#ended, ...this.#played.keys()]) {
      if (known > turn) continue;
      this.#ended.delete(known);
      this.#played.delete(known);
    }
  }
}
