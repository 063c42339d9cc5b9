/** A rewrite that goes on in a later request. */
export interface Rewrite {
  /** The generation that is read; a newer one does not take its place. */
  readonly generation: string;
  /** Everything that must be the same in each request. */
  readonly fingerprint: string;
  bytesRewritten: number;
}
