// Samples: conversion between float and 16 bits, a streaming resampler, loudness. Pure.

/** Samples in -1..1 as 16 bits, clipped. */
export function toInt16(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32767));
}

/** 16-bit samples as -1..1. */
export function toFloat32(samples: Int16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(samples, (sample) => sample / 32768);
}

/** Root mean square of samples in -1..1. */
export function loudness(samples: Float32Array): number {
  if (samples.length === 0) return 0;
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

/**
 * Changes the sample rate of a stream given piece by piece. Going down, each output sample is the mean of the input it
 * spans, which keeps folded-back noise low enough for speech; going up, it is interpolated linearly.
 */
export class Resampler {
  readonly #step: number;
  #rest = new Float32Array(0);
  /** Where the next output sample lies, in input samples after the start of `#rest`. */
  #position = 0;

  constructor(from: number, to: number) {
    this.#step = from / to;
  }

  push(input: Float32Array): Float32Array<ArrayBuffer> {
    if (this.#step === 1) return Float32Array.from(input);
    const data = new Float32Array(this.#rest.length + input.length);
    data.set(this.#rest);
    data.set(input, this.#rest.length);
    const output: number[] = [];
    const span = Math.max(this.#step, 1);
    while (this.#position + span < data.length) {
      output.push(this.#step > 1 ? mean(data, this.#position, span) : between(data, this.#position));
      this.#position += this.#step;
    }
    const used = Math.floor(this.#position);
    this.#rest = data.slice(used);
    this.#position -= used;
    return Float32Array.from(output);
  }
}

function between(data: Float32Array, position: number): number {
  const index = Math.floor(position);
  const left = data[index] ?? 0;
  return left + ((data[index + 1] ?? left) - left) * (position - index);
}

function mean(data: Float32Array, from: number, span: number): number {
  const to = from + span;
  let sum = 0;
  for (let index = Math.floor(from); index < to; index++) {
    sum += (data[index] ?? 0) * (Math.min(index + 1, to) - Math.max(index, from));
  }
  return sum / span;
}
