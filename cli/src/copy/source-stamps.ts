import { describeSide, sideOf } from "./paired-object.ts";
import type { PairRun } from "./paired-object.ts";

/** What tells an object of the source from a later one under its key; the same for all where a plugin cannot tell. */
export type SourceStamps = ReadonlyMap<string, string>;

/** Looks at each of the files of a backup at the source. */
export async function stampSource(run: PairRun, backup: string, files: readonly string[]): Promise<SourceStamps> {
  const stamps = files.map(
    async (file) =>
      await run.lanes.run(async () => {
        const found = await describeSide(run.session, sideOf(run.stores.from, backup, file));
        const { sizeBytes, version, lastModified, checksum } = found ?? {};
        const facts = [String(sizeBytes), version, lastModified?.toISOString(), checksum?.algorithm, checksum?.value];
        return [file, JSON.stringify(facts)] as const;
      }),
  );
  return new Map(await Promise.all(stamps));
}

/** Whether both speak of the same objects. */
export function isSameSource(one: SourceStamps, other: SourceStamps): boolean {
  return one.size === other.size && [...one].every(([file, stamp]) => other.get(file) === stamp);
}
