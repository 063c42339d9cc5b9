import { expect, expectEqual } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";
import { fill } from "./fill.ts";

/** More than two pages of S3 and of Cloud Storage, and more than one of Azure Blob Storage: half are loose keys. */
const counts = [
  { count: 2100, isSlow: false },
  { count: 5200, isSlow: true },
] as const;

/** Listings beyond one page, keys and common prefixes of one set of objects: putting them is what takes the time. */
export const listManyTests: readonly ConformanceTest[] = counts.map(({ count, isSlow }) => ({
  id: `object-store/list-many/${count}-keys`,
  title: `${count} keys, and the ${count / 2} common prefixes behind the half of them, are all listed, each once`,
  rule: "listings-go-beyond-a-page",
  kind: "ObjectStore",
  needs: ["many-keys"],
  isSlow,
  timeoutMs: isSlow ? 600_000 : 180_000,
  run: async (t) => {
    const store = await t.openObjectStore();
    const loose = numbered(count / 2, (digits) => `backups/a${digits}`);
    const folders = numbered(count / 2, (digits) => `backups/b${digits}/`);
    await fill(t, store, [...loose, ...folders.map((folder) => `${folder}velero-backup.json`)]);

    const keys = await store.listObjects(t.key("backups/"));
    const prefixes = await store.listCommonPrefixes(t.key("backups/"));

    const wanted = [...loose, ...folders.map((folder) => `${folder}velero-backup.json`)];
    expectSame(
      keys,
      wanted.map((name) => t.key(name)),
      "keys",
    );
    expectSame(
      prefixes,
      folders.map((name) => t.key(name)),
      "common prefixes",
    );
  },
}));

function numbered(count: number, name: (digits: string) => string): readonly string[] {
  return Array.from({ length: count }, (_, index) => name(String(index).padStart(5, "0")));
}

/** Compares without printing thousands of names. */
function expectSame(actual: readonly string[], expected: readonly string[], what: string): void {
  const listed = new Set(actual);
  const missing = expected.filter((each) => !listed.has(each));
  const [first = ""] = missing;
  expect(missing.length === 0, `${missing.length} of ${expected.length} ${what} are missing, the first is ${first}`);
  expectEqual(actual.length, expected.length, `the number of ${what}`);
}
