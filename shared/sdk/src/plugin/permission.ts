/** Something that an identity must be allowed to do, for a plugin's least-privilege policy. */
export interface Permission {
  /** As the cloud spells it: `s3:GetObject`. */
  readonly name: string;
  /** Which kind of location needs it. */
  readonly part: "objects" | "volumes";
  /** What it is granted on: objects, their bucket (container), its account, the disks of a region or project, a KMS key. */
  readonly scope: "objects" | "bucket" | "account" | "volumes" | "key";
  /** The requests of the code that it is for, as its test finds them there. */
  readonly requests: readonly string[];
  /** The keys of a location of which one must be set for it to be needed; undefined where every location needs it. */
  readonly keys?: readonly string[];
  /** The keys of which any makes it needless. */
  readonly unless?: readonly string[];
  /** What is lost without it, where a location works all the same. */
  readonly without?: string;
}
