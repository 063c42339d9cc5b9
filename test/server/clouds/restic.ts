import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { Faults } from "@flotilla/test/emulators";

import { findRestic, noRestic } from "../../restic/find-restic.ts";
import { startRestServer } from "../../wire-restic/rest-server.ts";
import { mustRun } from "../command.ts";
import type { Cloud, ClusterVolume, PersistentVolume } from "./cloud.ts";

const password = "correct horse battery staple";
const server = "10.0.0.9";
const content = "what the database has written\n".repeat(20_000);

/** Starts a server of a restic repository, with two volumes of NFS; there is no cloud. */
export async function startRestic(folder: string): Promise<Cloud> {
  const restic = findRestic();
  if (restic === undefined) throw new Error(noRestic);
  const rest = await startRestServer(join(folder, "repository"));
  const root = join(folder, "volumes");
  const folderOf = (id: string): string => join(root, ...id.split(":"));
  const volumes = [nfsVolume("database"), nfsVolume("uploads")];
  for (const { id } of volumes) await makeVolume(folderOf(id));
  // The server's user makes volumes beside them.
  await mustRun("chmod", ["--recursive", "777", root], { env: { PATH: process.env["PATH"] ?? "" } });
  const config = { repository: rest.repository };
  const byHand = async (...args: readonly string[]): Promise<readonly ResticSnapshot[]> => {
    const env = { RESTIC_REPOSITORY: rest.repository, RESTIC_PASSWORD: password, HOME: folder };
    // restic's own form.
    return JSON.parse(
      await mustRun(restic, ["snapshots", "--json", "--no-lock", ...args], { env }),
    ) as ResticSnapshot[];
  };
  return {
    provider: "restic",
    implementation: "flotilla.io/restic",
    bucket: "velero-backups",
    mounts: { "/volumes": root, "/usr/bin/restic": restic },
    keys: {
      credentials: `RESTIC_PASSWORD=${password}\n`,
      config: { ...config, initialize: "true" },
      volumeConfig: { ...config, volumeRoot: "/volumes" },
    },
    refusedCredentials: "RESTIC_PASSWORD=wrong\n",
    refusal: [/password opens none/, /check the location's password/],
    snapshotPermission: "",
    volumes,
    faults: new Faults(),
    contentsPut: () => ({}),
    refuseSnapshots: () => () => undefined,
    objectFile: () => "",
    volumeOf: ({ spec }) => idOf(spec),
    hasVolume: async (id) => existsSync(folderOf(id)),
    removeVolume: async (id) => await rm(folderOf(id), { recursive: true }),
    // A folder does not say what it was made from: it is told by what is in it.
    sourceOf: async (id) => {
      const text = await readFile(join(folderOf(id), "data"), "utf8");
      return text === content ? ((await volumeSnapshots(byHand))[0] ?? "") : "";
    },
    snapshots: async () => await volumeSnapshots(byHand),
    objects: async () => objectsIn(await byHand()),
    close: async () => await rest.close(),
  };
}

/**
 * The executable with its libraries, without the restic that is shipped beside it: that one needs a newer C library than
 * the server's root of the suite has, which is older than the image's own.
 */
export async function withoutShippedRestic(folder: string, executable: string): Promise<string> {
  const copy = join(folder, basename(executable));
  await cp(executable, copy);
  await cp(`${executable}.lib`, `${copy}.lib`, { recursive: true, filter: (path) => basename(path) !== "restic" });
  return copy;
}

interface ResticSnapshot {
  readonly id: string;
  readonly tags?: readonly string[];
}

/** Those that no mark says to be deleted. */
async function volumeSnapshots(byHand: () => Promise<readonly ResticSnapshot[]>): Promise<readonly string[]> {
  const all = await byHand();
  const deleted = valuesOf(all, "flotilla.io/volume-deleted");
  return [...new Set(valuesOf(all, "flotilla.io/volume-snapshot"))].filter((id) => !deleted.includes(id));
}

/** The newest record of each key says whether there is an object. */
function objectsIn(all: readonly ResticSnapshot[]): readonly string[] {
  const newest = new Map<string, { readonly order: number; readonly isThere: boolean }>();
  for (const snapshot of all) {
    const [key] = valuesOf([snapshot], "flotilla.io/key");
    const order = Number(valuesOf([snapshot], "flotilla.io/order")[0] ?? Number.NaN);
    if (key === undefined || Number.isNaN(order) || order <= (newest.get(key)?.order ?? 0)) continue;
    newest.set(key, { order, isThere: valuesOf([snapshot], "flotilla.io/deleted").length === 0 });
  }
  return [...newest].flatMap(([key, { isThere }]) => (isThere ? [decodeURIComponent(key)] : [])).toSorted();
}

function valuesOf(all: readonly ResticSnapshot[], name: string): readonly string[] {
  const tags = all.flatMap(({ tags = [] }) => tags).filter((tag) => tag.startsWith(`${name}=`));
  return tags.map((tag) => tag.slice(name.length + 1));
}

async function makeVolume(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "data"), content);
  await chmod(folder, 0o777);
}

function nfsVolume(name: string): ClusterVolume {
  const path = `/exports/${name}`;
  return { name, id: `${server}:${path}`, labels: {}, sizeGiB: 1, spec: { nfs: { server, path } } };
}

function idOf(spec: PersistentVolume["spec"]): string {
  // The API's own form.
  const { server: host, path } = spec["nfs"] as { server: string; path: string };
  return `${host}:${path}`;
}
