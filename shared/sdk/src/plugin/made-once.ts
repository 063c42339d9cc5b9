/**
 * What is made once, however many ask for it at a time. A failure reaches all who wait for it and is not kept: whoever
 * asks next has it made again.
 */
export class MadeOnce<T, Arguments extends readonly unknown[] = []> {
  readonly #make: (...words: Arguments) => Promise<T>;
  #made: Promise<T> | undefined;

  constructor(make: (...words: Arguments) => Promise<T>) {
    this.#make = make;
  }

  async get(...words: Arguments): Promise<T> {
    const made = (this.#made ??= this.#make(...words));
    try {
      return await made;
    } catch (error) {
      // By now another may be on its way.
      if (this.#made === made) this.#made = undefined;
      throw error;
    }
  }

  /** What was asked for, perhaps still being made; undefined where nothing was, or where it failed. */
  get asked(): Promise<T> | undefined {
    return this.#made;
  }
}
