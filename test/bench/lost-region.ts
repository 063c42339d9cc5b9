import { parseArgs } from "node:util";

import { startObjectRig } from "../wire/object-rig.ts";
import { openCopied } from "../wire/copies-rig.ts";
import { bytesOf, collect, inChunks } from "../wire/bytes.ts";
import {
  otherRegion as azureOther,
  ownRegion as azureOwn,
  startCopiesRig as startAzure,
} from "../wire-azure/copies-rig.ts";
import { otherRegion as gcpOther, ownRegion as gcpOwn, startCopiesRig as startGcp } from "../wire-gcp/copies-rig.ts";
import type { ObjectStoreClient } from "@flotilla/host";
import type { Session } from "../wire/workspace.ts";

/** Which region does what while it is lost, and what the location says of its copy. */
interface Situation {
  readonly lost: "own" | "target";
  readonly loss: "refuse" | "hang";
  readonly mode: "required" | "best-effort";
}

/** A location with a copy that holds one backup, and a way to lose one of its regions. */
interface Scene {
  /** A new process, which knows nothing of what another one learnt. */
  open(): Promise<ObjectStoreClient>;
  lose(): void;
  close(): Promise<void>;
}

type Provider = "aws" | "azure" | "gcp";
type Question = (store: ObjectStoreClient, bucket: string) => Promise<unknown>;

const bucket = "lost";
const body = bytesOf(100_000, "lost region");
const backup = "backups/a/velero-backup.json";

const questions: Readonly<Record<string, Question>> = {
  "location is validated": async (store) => await store.listCommonPrefixes({ bucket, prefix: "", delimiter: "/" }),
  "backups are listed": async (store) => await store.listCommonPrefixes({ bucket, prefix: "backups/", delimiter: "/" }),
  "an object is there": async (store) => await store.objectExists({ bucket, key: backup }),
  "an object is absent": async (store) =>
    await store.objectExists({ bucket, key: "backups/a/a-volumesnapshots.json.gz" }),
  get: async (store) => await collect(store.getObject({ bucket, key: backup })),
  put: async (store) => await store.putObject({ bucket, key: "backups/b/velero-backup.json" }, inChunks(body)),
};

async function openScene(provider: Provider, { lost, loss, mode }: Situation): Promise<Scene> {
  const query = { mode };
  const opened = async (session: Session, name: string, config: Record<string, string>): Promise<ObjectStoreClient> => {
    const store = session.manager.getObjectStore(name);
    await store.init(config);
    return store;
  };
  if (provider === "aws") {
    const rig = await startObjectRig();
    const { location } = await openCopied(rig, bucket, { query });
    await location.put(backup, body);
    const copyTo = `s3://${bucket}-copy?${new URLSearchParams({ region: "eu-west-1", ...query }).toString()}`;
    const config = await rig.configOf(bucket, { config: { copyTo } });
    return {
      open: async () => await opened(rig.start(), "velero.io/aws", config),
      lose: () => rig.s3.loseRegion(lost === "own" ? "us-east-1" : "eu-west-1", loss),
      close: async () => await rig.close(),
    };
  }
  const outage = loss === "refuse" ? "refuses" : "hangs";
  const rig = provider === "azure" ? await startAzure() : await startGcp();
  const { location } = await rig.openCopied(bucket, { query });
  await location.put(backup, body);
  const { own } = await rig.configsOf(bucket, { query });
  return {
    open: async () => await opened(rig.start(), `velero.io/${provider}`, own),
    lose: () => {
      if ("blob" in rig) rig.blob.loseRegion(lost === "own" ? azureOwn : azureOther, outage);
      else rig.gcs.loseRegion(lost === "own" ? gcpOwn : gcpOther, outage);
    },
    close: async () => await rig.close(),
  };
}

/** What one call took, and how it ended. */
async function timed(limitMs: number, work: () => Promise<unknown>): Promise<string> {
  const startedMs = performance.now();
  const timer = Promise.withResolvers<string>();
  const timeout = setTimeout(() => timer.resolve("unended"), limitMs);
  const ended = work().then(
    (answer) => (typeof answer === "boolean" ? String(answer) : "ok"),
    (error: unknown) => (error instanceof Error && "kind" in error ? String(error.kind) : "error"),
  );
  const outcome = await Promise.race([ended, timer.promise]);
  clearTimeout(timeout);
  return `${((performance.now() - startedMs) / 1000).toFixed(1)} s ${outcome}`;
}

async function measure(provider: Provider, situation: Situation, limitMs: number): Promise<void> {
  const scene = await openScene(provider, situation);
  try {
    const asked = [];
    for (const [name, question] of Object.entries(questions)) asked.push({ name, question, store: await scene.open() });
    scene.lose();
    const rows = asked.map(async ({ name, question, store }) => {
      const first = await timed(limitMs, async () => await question(store, bucket));
      const next = await timed(limitMs, async () => await question(store, bucket));
      return [provider, situation.lost, situation.loss, situation.mode, name, first, next].join(" | ");
    });
    for (const row of await Promise.all(rows)) process.stdout.write(`| ${row} |\n`);
  } finally {
    await scene.close().catch(() => undefined);
  }
}

const { values } = parseArgs({
  options: {
    provider: { type: "string", default: "aws" },
    limit: { type: "string", default: "200" },
    only: { type: "string", default: "" },
  },
});
const provider = (["aws", "azure", "gcp"] as const).find((one) => one === values.provider) ?? "aws";
const situations = (["own", "target"] as const).flatMap((lost) =>
  (["refuse", "hang"] as const).flatMap((loss) =>
    (["required", "best-effort"] as const).map((mode): Situation => ({ lost, loss, mode })),
  ),
);
const wanted = situations.filter((one) => Object.values(one).join(" ").includes(values.only));
await Promise.all(wanted.map(async (situation) => await measure(provider, situation, Number(values.limit) * 1000)));
process.exit(0);
