/** Tags of a cloud resource, or labels. */
export type Tags = Readonly<Record<string, string>>;

/** What a resource gets from the one that it is made from. */
export interface TagInheritance {
  /** Set in any case, and before anything inherited. */
  readonly own: Tags;
  readonly inherited: Tags;
  /** Whether the cloud keeps tags of this name to itself and would refuse them. */
  readonly isReserved: (name: string) => boolean;
  /** The most that the cloud allows on one resource. */
  readonly maxTags: number;
}

/** The tags of the new resource, and the names of those that found no room. */
export function inheritTags({ own, inherited, isReserved, maxTags }: TagInheritance): {
  readonly tags: Tags;
  readonly dropped: readonly string[];
} {
  const candidates = Object.keys(inherited)
    .filter((name) => !Object.hasOwn(own, name) && !isReserved(name))
    .sort();
  const room = Math.max(0, maxTags - Object.keys(own).length);
  const kept = candidates.slice(0, room).map((name) => [name, inherited[name] ?? ""] as const);
  return { tags: { ...Object.fromEntries(kept), ...own }, dropped: candidates.slice(room) };
}
