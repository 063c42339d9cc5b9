import assert from "node:assert/strict";
import { after, test } from "node:test";

import type { Account } from "@flotilla/test/emulators";

import { collect, inChunks } from "./bytes.ts";
import { smallPartBytes, smallParts, startObjectRig } from "./object-rig.ts";
import { printedPolicy } from "./printed-policy.ts";
import { startVolumeRig } from "./volume-rig.ts";

const [objects, volumes] = [await startObjectRig(), await startVolumeRig()];
after(async () => {
  await objects.close();
  await volumes.close();
});

const zone = "us-east-1a";
const base = ["--provider", "aws", "--bucket", "b", "--config", "region=us-east-1"];

test("the printed policy is enough for every request on objects, tags and parts included", async () => {
  const actions = await actionsOf(...base, "--config", "tagging=team=a");
  const account: Account = { accessKeyId: "AKIAPOLICY", secretAccessKey: "policy-secret", allow: actions };
  objects.accounts.add(account);
  const { store } = await objects.open("policy", { account, config: { ...smallParts, tagging: "team=a" } });
  const large = { bucket: "policy", key: "backups/one/one.tar" };

  for await (const finding of store.check(call)) assert.notEqual(finding.severity, "failure", JSON.stringify(finding));
  await store.putObject(large, inChunks(Buffer.alloc(2 * smallPartBytes + 1, 7)), call);
  await collect(store.getObject(large, call));
  await store.listObjects({ bucket: "policy", prefix: "backups/" }, call);
  await store.listCommonPrefixes({ bucket: "policy", prefix: "backups/", delimiter: "/" }, call);
  assert.equal(await store.objectExists({ ...large, key: "absent" }, call), false);
  await store.deleteObject(large, call);

  assert.deepEqual(refused(objects.requestsOf("policy")), []);
});

test("the printed policy is enough for every request on volumes, waiting included", async () => {
  const actions = await actionsOf(...base, "--volume-config", "wait=completed");
  const account: Account = { accessKeyId: "AKIAVOLUMES", secretAccessKey: "volumes-secret", allow: actions };
  volumes.accounts.add(account);
  const snapshotter = await volumes.open({ account, config: { wait: "completed" } });
  const volumeId = volumes.addVolume();

  for await (const finding of snapshotter.check(call)) assert.notEqual(finding.severity, "failure", finding.detail);
  await snapshotter.getVolumeInfo({ volumeId, volumeAz: zone });
  const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags: { "velero.io/backup": "b" } });
  await snapshotter.createVolumeFromSnapshot({ snapshotId, volumeType: "gp3", volumeAz: zone, iops: undefined });
  await snapshotter.deleteSnapshot(snapshotId);

  assert.deepEqual(refused(volumes.ec2.log.entries()), []);
});

test("without what the policy grants for a key, the request that needs it is refused", async () => {
  const account: Account = {
    accessKeyId: "AKIALESS",
    secretAccessKey: "less-secret",
    allow: await actionsOf(...base),
  };
  objects.accounts.add(account);
  const { store } = await objects.open("untagged", { account, config: { tagging: "team=a" } });

  const findings = await Array.fromAsync(store.check(call));

  assert.ok(findings.some(({ severity, subject }) => severity === "failure" && subject === "s3:PutObjectTagging"));
});

const call = { signal: new AbortController().signal };

async function actionsOf(...words: readonly string[]): Promise<readonly string[]> {
  const { Statement } = (await printedPolicy(...words)) as { Statement: readonly { Action: readonly string[] }[] };
  return Statement.flatMap(({ Action }) => Action);
}

function refused(requests: readonly { readonly operation: string; readonly status: number }[]): string[] {
  return requests.filter(({ status }) => status === 403).map(({ operation }) => operation);
}
