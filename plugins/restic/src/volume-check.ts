import { constants } from "node:fs";
import { access, readdir, statfs } from "node:fs/promises";
import { join } from "node:path";

import { advice, failure, ok, PluginError, tried } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";

import type { Repository } from "./repository.ts";
import { HeldFolder } from "./volume-folder.ts";
import { restoreRights } from "./volume-owners.ts";
import type { VolumePathRule } from "./volume-path-rules.ts";
import { listSnapshots } from "./volume-snapshots.ts";

/** What is looked at. */
export interface VolumeCheck {
  readonly repository: Repository;
  readonly volumeRoot: string | undefined;
  readonly volumePaths: readonly VolumePathRule[];
  readonly restoreFolder: string | undefined;
}

/** Tries what snapshots and restores of volumes need. */
export async function* checkVolumes(check: VolumeCheck, call: Call): AsyncGenerator<Finding, void, undefined> {
  const { repository, volumeRoot, restoreFolder, volumePaths } = check;
  yield ok("restic", `version ${repository.restic.version.text} at ${repository.restic.path}`);
  yield await checkRepository(repository, call);
  if (volumeRoot === undefined) return;
  yield ok("volumePaths", volumePaths.map(({ text }) => text).join(" "));
  const root = await checkRoot(volumeRoot);
  yield root;
  if (root.severity === "failure") return;
  yield* checkFolders(volumeRoot, volumePaths);
  yield* checkRestores(volumeRoot, restoreFolder);
}

async function checkRepository(repository: Repository, call: Call): Promise<Finding> {
  const subject = "repository";
  try {
    await repository.make(call);
    const { snapshots, isWhole } = await listSnapshots(repository, call);
    if (isWhole)
      return ok(subject, `${repository.location.shown} opens and holds ${snapshots.length} restic snapshots`);
    const text = `${repository.location.shown}: some of its snapshots cannot be read; run restic check on it`;
    return failure(subject, new PluginError(text, { kind: "corrupt" }));
  } catch (error) {
    return failure(subject, error);
  }
}

async function checkRoot(volumeRoot: string): Promise<Finding> {
  return await tried("volumeRoot", `${volumeRoot} is there and readable`, async () => {
    await using held = await HeldFolder.open({ root: volumeRoot, folder: "" });
    const names = await readdir(held.path).catch((error: unknown) => {
      throw new PluginError(`list the volume root ${volumeRoot}: access denied; run the server as a user who may`, {
        kind: "denied",
        cause: error,
      });
    });
    if (names.length > 0) return;
    throw new PluginError(`the volume root ${volumeRoot} is empty; mount the volumes below it in the server's pod`, {
      kind: "unavailable",
    });
  });
}

/** The fixed beginnings of the rules' folders: where nothing is mounted there, no volume of the rule will be found. */
async function* checkFolders(
  volumeRoot: string,
  rules: readonly VolumePathRule[],
): AsyncGenerator<Finding, void, undefined> {
  for (const folder of new Set(rules.map(fixedFolder)))
    if (folder !== "") yield await checkFolder(`volumePaths ${folder}`, { volumeRoot, folder, mode: constants.R_OK });
}

interface FolderCheck {
  readonly volumeRoot: string;
  readonly folder: string;
  /** What the server's user must be able to do there, beside passing through. */
  readonly mode: number;
}

async function checkFolder(subject: string, { volumeRoot, folder, mode }: FolderCheck): Promise<Finding> {
  const shown = join(volumeRoot, folder);
  const ability = mode === constants.W_OK ? "writable" : "readable";
  try {
    await using held = await HeldFolder.open({ root: volumeRoot, folder });
    await access(held.path, mode | constants.X_OK).catch((error: unknown) => {
      throw new PluginError(
        `use ${shown}: it is not ${ability} for the server's user; give its pod a user or capabilities that may`,
        {
          kind: "denied",
          cause: error,
        },
      );
    });
    const { bavail, bsize } = await statfs(held.path, { bigint: true });
    return ok(subject, `${shown} is ${ability} and has ${(bavail * bsize) / 1024n ** 2n} MiB free`);
  } catch (error) {
    return failure(subject, error);
  }
}

function fixedFolder(rule: VolumePathRule): string {
  if (rule.source !== "csi") {
    const end = rule.folder.findIndex((name) => name.includes("{"));
    return rule.folder.slice(0, end < 0 ? rule.folder.length : end).join("/");
  }
  const [first] = rule.template;
  const literal = first !== undefined && "literal" in first ? first.literal : "";
  return literal
    .slice(0, literal.lastIndexOf("/") + 1)
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .join("/");
}

async function* checkRestores(
  volumeRoot: string,
  restoreFolder: string | undefined,
): AsyncGenerator<Finding, void, undefined> {
  if (restoreFolder !== undefined)
    yield await checkFolder("restoreFolder", { volumeRoot, folder: restoreFolder, mode: constants.W_OK });
  const rights = await restoreRights();
  const user = `${rights.userId}:${rights.groupId}`;
  const owners = "owners of restored files";
  yield rights.canSetOwners
    ? ok(owners, `they are set: the server runs as ${user} with CAP_CHOWN`)
    : advice(
        owners,
        `files that are restored will all belong to ${user}, and files that ${user} may not read fail a backup`,
        "run the server as the superuser with CAP_CHOWN, CAP_DAC_OVERRIDE and CAP_FOWNER where volumes hold files of several users",
      );
  if (!rights.canSetSystemAttributes)
    yield advice(
      "attributes of restored files",
      "labels of SELinux, capabilities of programs and other attributes of the namespaces security and trusted are left out",
      "nothing, where the node labels volumes itself; otherwise add CAP_SYS_ADMIN to the server",
    );
}
