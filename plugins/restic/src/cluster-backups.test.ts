import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { TestContext } from "node:test";
import { isKind } from "@flotilla/sdk/plugin";
import { startStubKubernetes } from "@flotilla/sdk/testing";
import { backupsOfCluster } from "./cluster-backups.ts";
import type { ClusterContext } from "./cluster-backups.ts";
import { requireNeverMade } from "./repository-absence.ts";
import { parseRepository } from "./repository-location.ts";
import { RepositoryMemory } from "./repository-memory.ts";

const repository = parseRepository("s3:https://s3.example.com/b/r");

let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "cluster-"));
});

after(async () => {
  await rm(folder, { recursive: true });
});

/** What the API answers for each kind: a list in pages of one, or a status. */
type Lists = Readonly<Record<string, readonly object[] | number>>;

function pageOf(lists: Lists, { pathname, searchParams }: URL): object | number {
  const items = lists[/^\/apis\/velero\.io\/v1\/namespaces\/velero\/(\w+)$/.exec(pathname)?.[1] ?? ""] ?? 404;
  if (typeof items === "number") return items;
  const at = Number(searchParams.get("continue") ?? 0);
  const metadata = at + 1 < items.length ? { continue: String(at + 1) } : {};
  return { metadata, items: items.slice(at, at + 1) };
}

/** The part of the Kubernetes API that is asked, as its reference says: lists in chunks. */
async function startKubernetes(t: TestContext, lists: Lists): Promise<ClusterContext> {
  const cluster = await startStubKubernetes(t, ({ url }) => {
    const answer = pageOf(lists, new URL(url, "https://api"));
    return typeof answer === "number" ? { status: answer, body: "{}" } : { body: JSON.stringify(answer) };
  });
  return { ...cluster, signal: new AbortController().signal };
}

function location(name: string, text: string, provider = "flotilla.io/restic"): object {
  return { metadata: { name }, spec: { provider, config: { repository: text } } };
}

function backup(name: string, storageLocation: string, phase: string, spec: object = {}, status: object = {}): object {
  return { metadata: { name }, spec: { storageLocation, ...spec }, status: { phase, ...status } };
}

const locations: Lists = {
  backupstoragelocations: [
    location("aws", repository.text, "velero.io/aws"),
    location("other", "s3:https://s3.example.com/b/other"),
    location("wrong", "nonsense"),
    location("default", `${repository.text}/`),
  ],
  volumesnapshotlocations: [location("volumes", repository.text)],
};

test("finished backups of a location of the repository are known, also on later pages", async (t) => {
  const backups = [
    backup("elsewhere", "other", "Completed"),
    backup("begun", "default", "InProgress"),
    backup("failed", "default", "Failed"),
    backup("nightly", "default", "Completed"),
    backup("partly", "default", "PartiallyFailed"),
    backup("snapshots", "aws", "Completed", { volumeSnapshotLocations: ["volumes"] }, { volumeSnapshotsCompleted: 2 }),
    backup("fourth", "default", "Completed"),
  ];

  const known = await backupsOfCluster(repository, await startKubernetes(t, { ...locations, backups }));
  assert.deepEqual(known, { names: ["nightly", "partly", "snapshots"], locations: ["default", "volumes"] });
});

test("a cluster without a backup in the repository says that there never was one", async (t) => {
  const backups = [
    backup("elsewhere", "other", "Completed"),
    backup("no-snapshots", "aws", "Completed", { volumeSnapshotLocations: ["volumes"] }),
  ];
  const context = await startKubernetes(t, { ...locations, backups });
  const absence = { location: repository, memory: new RepositoryMemory(folder), isOwn: true, context };

  assert.deepEqual((await backupsOfCluster(repository, context))?.names, []);
  assert.equal(await requireNeverMade(absence), true);
});

test("a repository of which the cluster holds backups is neither made anew nor taken for empty", async (t) => {
  const context = await startKubernetes(t, { ...locations, backups: [backup("nightly", "default", "Completed")] });
  const absence = { location: repository, memory: new RepositoryMemory(folder), isOwn: true, context };

  await assert.rejects(requireNeverMade(absence), /cluster holds backups that are in it \(nightly.*default/);
  // An old location may get a second repository any day.
  assert.equal(await requireNeverMade({ ...absence, isOwn: false }), false);
});

test("outside of the server's pod, and where its account may not look, nothing is known", async (t) => {
  const forbidden = await startKubernetes(t, { ...locations, backups: 403 });
  const { signal } = forbidden;

  assert.equal(await backupsOfCluster(repository, forbidden), undefined);
  assert.equal(await backupsOfCluster(repository, { env: {}, signal }), undefined);
  const unmounted = { ...forbidden, serviceAccountFolder: join(folder, "none") };
  assert.equal(await backupsOfCluster(repository, unmounted), undefined);
});

test("a cluster that does not answer is no cluster without backups", async (t) => {
  const failing = await startKubernetes(t, { ...locations, backups: 503 });

  await assert.rejects(backupsOfCluster(repository, failing), (error) => isKind(error, "unavailable"));
});
