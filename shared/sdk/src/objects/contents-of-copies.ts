import { advice, findingsOf, foldersFinding, PluginError } from "../plugin/index.ts";
import { listCommonPrefixes } from "./listing.ts";
import type { Call, Finding } from "../plugin/index.ts";
import type { CopiesOptions } from "./copies.ts";
import type { BlobLister } from "./listing.ts";

const maxNamed = 5;

/**
 * Tells what a place of copies holds beside them, so that a server there would not take it for a location; which backups
 * have nothing in it: those that are older than `copyTo`, and those whose copies were deleted, which a lost region would
 * take along; and which of its backups are not the location's.
 */
export async function* checkContentsOfCopies(
  { root, places }: CopiesOptions,
  openDriver: (bucket: string) => BlobLister,
  call: Call,
): AsyncGenerator<Finding> {
  for (const place of places) {
    const { name, bucket, prefix = root.prefix, mode } = place;
    const look = async function* (): AsyncGenerator<Finding> {
      try {
        const lister = await place.open();
        const folders = await listFolders(lister, bucket, prefix === "" ? "" : `${prefix}/`, call);
        const finding = foldersFinding(prefix, folders);
        if (finding.severity !== "ok") yield finding;
        const here = await namesOfBackups(openDriver(root.bucket), { bucket: root.bucket, prefix: root.prefix }, call);
        const there = await namesOfBackups(lister, { bucket, prefix }, call);
        const missing = here.filter((backup) => !there.includes(backup));
        if (missing.length > 0) yield withoutCopy(missing);
        const others = there.filter((backup) => !here.includes(backup));
        if (others.length > 0) yield notOfLocation(others);
      } catch (error) {
        // A place that cannot be listed is what the findings about its permissions are for: not told a second time.
        const reason = PluginError.from(error).message;
        call.log.info("what the place of copies holds was not looked at", { copy: name, reason });
      }
    };
    yield* findingsOf({ name, bucket, prefix: place.prefix, mode, config: undefined }, look());
  }
}

async function namesOfBackups(
  lister: BlobLister,
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
  call: Call,
): Promise<readonly string[]> {
  const folder = prefix === "" ? "backups/" : `${prefix}/backups/`;
  const prefixes = await listFolders(lister, bucket, folder, call);
  return prefixes.map((path) => path.slice(folder.length, -1)).sort();
}

async function listFolders(lister: BlobLister, bucket: string, prefix: string, call: Call): Promise<readonly string[]> {
  return await listCommonPrefixes(lister, { bucket, prefix, delimiter: "/" }, call);
}

function withoutCopy(missing: readonly string[]): Finding {
  return advice(
    "backups",
    `${missing.length} have no copy here, and would be lost with the location: ${named(missing)}`,
    "make their copies with `flotilla backup copy --all`",
  );
}

function notOfLocation(others: readonly string[]): Finding {
  return advice(
    "other backups",
    `${others.length} are here and not in the location: ${named(others)}`,
    "if another location has its copies here, give each a path of its own, since backups of one name overwrite each other; what was left behind delete by hand",
  );
}

function named(backups: readonly string[]): string {
  const more = backups.length > maxNamed ? `, and ${backups.length - maxNamed} more` : "";
  return `${backups.slice(0, maxNamed).join(", ")}${more}`;
}
