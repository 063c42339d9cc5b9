import { existsSync, renameSync } from "node:fs";

/**
 * Moves a whole folder to its place in the cache. Builds run beside each other: where another has put the same there
 * meanwhile, that one stays, and the given one is left for its owner to remove.
 */
export function keepInCache(whole: string, place: string): void {
  try {
    renameSync(whole, place);
  } catch (error) {
    // A folder with content cannot be replaced, and need not be: only whole ones get there.
    if (!existsSync(place)) throw error;
  }
}
