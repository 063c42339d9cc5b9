import { dynamicString, dynamicTag, dynamicValue, fileOffset } from "./elf-file.ts";
import type { ElfFile } from "./elf-file.ts";

/** What one library must offer, as indexes of the dynamic string table. */
export interface VersionNeed {
  readonly fileIndex: number;
  readonly versionIndexes: readonly number[];
}

/** The symbol versions that the executable asks of its libraries, as indexes of the string table. */
export function versionNeeds(elf: ElfFile): VersionNeed[] {
  const first = dynamicValue(elf, dynamicTag.versionNeeds);
  if (first === undefined) return [];
  const needs: VersionNeed[] = [];
  let at = fileOffset(elf, first);
  for (let left = dynamicValue(elf, dynamicTag.versionNeedsCount) ?? 0; left > 0; left -= 1) {
    const versionIndexes: number[] = [];
    let version = at + elf.bytes.readUInt32LE(at + 8);
    for (let count = elf.bytes.readUInt16LE(at + 2); count > 0; count -= 1) {
      versionIndexes.push(elf.bytes.readUInt32LE(version + 8));
      version += elf.bytes.readUInt32LE(version + 12);
    }
    needs.push({ fileIndex: elf.bytes.readUInt32LE(at + 4), versionIndexes });
    at += elf.bytes.readUInt32LE(at + 12);
  }
  return needs;
}

/** The newest version of a family (`GLIBC`, `GLIBCXX`) that the file asks for, such as `2.28`; undefined for none. */
export function newestNeed(elf: ElfFile, family: string): string | undefined {
  return versionNeeds(elf)
    .flatMap(({ versionIndexes }) => versionIndexes.map((index) => dynamicString(elf, index)))
    .filter((name) => name.startsWith(`${family}_`))
    .map((name) => name.slice(family.length + 1))
    .toSorted(compareVersions)
    .at(-1);
}

/** Orders dotted numbers: 2.9 before 2.28. */
export function compareVersions(a: string, b: string): number {
  const left = a.split(".").map(Number);
  const right = b.split(".").map(Number);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
