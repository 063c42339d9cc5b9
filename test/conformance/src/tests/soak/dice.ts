import { bodyOf } from "../../bodies.ts";

/** Choices that a seed decides, so that a run can be repeated. */
export class Dice {
  readonly #seed: string;
  #thrown = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** A whole number from 0 up to `count`, which is excluded. */
  below(count: number): number {
    this.#thrown += 1;
    return bodyOf(`${this.#seed}/${this.#thrown}`, 4).readUInt32BE() % count;
  }

  /** One of these, each as often as it is listed. */
  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }
}
