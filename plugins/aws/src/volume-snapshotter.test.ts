import assert from "node:assert/strict";
import { test } from "node:test";
import type { CreateSnapshotCommandInput, CreateVolumeCommandInput, Snapshot, Volume } from "@aws-sdk/client-ec2";
import { isKind, PluginError } from "@flotilla/sdk/plugin";
import { TestClock } from "@flotilla/sdk/testing";
import type { EbsApi } from "./ebs-api.ts";
import { EbsPlaces } from "./ebs-place.ts";
import { readTags } from "./ebs-tags.ts";
import { quietCall } from "./testing/call.ts";
import { EbsVolumeSnapshotter } from "./volume-snapshotter.ts";
import type { EbsVolumeSnapshotterOptions } from "./volume-snapshotter.ts";

type State<T> = T | PluginError;

/** An EC2 of one volume and one snapshot, whose answers a test lines up. */
class ScriptedEbsApi implements EbsApi {
  readonly created: CreateSnapshotCommandInput[] = [];
  readonly volumes: CreateVolumeCommandInput[] = [];
  readonly deleted: string[] = [];
  volumeStates: State<Volume>[] = [{ VolumeId: "vol-1", VolumeType: "gp3", Iops: 4000, Throughput: 250, Tags: [] }];
  snapshotStates: State<Snapshot>[] = [{ SnapshotId: "snap-1", State: "completed", Encrypted: false, Tags: [] }];
  createFaults: PluginError[] = [];
  found: string | undefined;

  async describeVolume(): Promise<Volume> {
    return next(this.volumeStates);
  }

  async describeSnapshot(): Promise<Snapshot> {
    return next(this.snapshotStates);
  }

  async findSnapshot(): Promise<string | undefined> {
    return this.found;
  }

  async createSnapshot(input: CreateSnapshotCommandInput): Promise<string> {
    this.created.push(input);
    const fault = this.createFaults.shift();
    if (fault !== undefined) throw fault;
    return "snap-1";
  }

  async deleteSnapshot(snapshotId: string): Promise<void> {
    this.deleted.push(snapshotId);
  }

  async createVolume(input: CreateVolumeCommandInput): Promise<string> {
    this.volumes.push(input);
    return "vol-2";
  }

  async deleteVolume(volumeId: string): Promise<void> {
    this.deleted.push(volumeId);
  }
}

/** The last state stays. */
function next<T>(states: State<T>[]): T {
  const state = states.length > 1 ? states.shift() : states[0];
  if (state === undefined) throw new Error("no state was lined up");
  if (state instanceof PluginError) throw state;
  return state;
}

function open(api: EbsApi, options: Partial<EbsVolumeSnapshotterOptions> = {}): EbsVolumeSnapshotter {
  return new EbsVolumeSnapshotter({
    api,
    kmsKeyId: undefined,
    clusterName: undefined,
    places: new EbsPlaces({ api, region: "us-east-1", zoneMap: new Map(), defaultZone: undefined }),
    isWaiting: false,
    waitTimeoutMs: 60_000,
    clock: new TestClock({ skipsSleep: true }),
    random: () => 0,
    ...options,
  });
}

const request = { volumeId: "vol-1", volumeAz: "", tags: { "velero.io/backup": "b" } };
const restore = { snapshotId: "snap-1", volumeType: "gp3", volumeAz: "us-east-1a", iops: 4000n };
const unavailable = new PluginError("cut", { kind: "unavailable" });
const notFound = new PluginError("volume not found", { kind: "not-found" });

const infos: readonly (readonly [type: string, iops: bigint | undefined])[] = [
  ["gp3", 4000n],
  ["io1", 4000n],
  ["io2", 4000n],
  ["gp2", undefined],
  ["st1", undefined],
];

for (const [type, iops] of infos)
  test(`of a ${type} volume ${iops === undefined ? "no" : "the"} IOPS are recorded`, async () => {
    const api = new ScriptedEbsApi();
    api.volumeStates = [{ VolumeType: type as "gp3", Iops: 4000 }];

    assert.deepEqual(await open(api).getVolumeInfo({ volumeId: "vol-1", volumeAz: "" }, quietCall), {
      volumeType: type,
      iops,
    });
  });

test("a snapshot is tagged with the server's tags, the volume's and the volume's throughput", async () => {
  const api = new ScriptedEbsApi();
  api.volumeStates = [{ Throughput: 250, Tags: [{ Key: "team", Value: "x" }] }];

  assert.equal(await open(api).createSnapshot(request, quietCall), "snap-1");

  const { "flotilla.io/request": mark, ...tags } = readTags(api.created[0]?.TagSpecifications?.[0]?.Tags);
  assert.deepEqual(tags, { "velero.io/backup": "b", team: "x", "flotilla.io/throughput": "250" });
  assert.match(mark ?? "", /^[0-9a-f-]{36}$/);
});

test("a snapshot whose answer was lost is found instead of made twice", async () => {
  const api = new ScriptedEbsApi();
  api.createFaults = [unavailable];
  api.found = "snap-lost";

  assert.equal(await open(api).createSnapshot(request, quietCall), "snap-lost");
  assert.equal(api.created.length, 1);
});

test("a snapshot request that never arrived is repeated", async () => {
  const api = new ScriptedEbsApi();
  api.createFaults = [unavailable, unavailable];

  assert.equal(await open(api).createSnapshot(request, quietCall), "snap-1");
  assert.equal(api.created.length, 3);
});

test("a denied snapshot request is not repeated", async () => {
  const api = new ScriptedEbsApi();
  api.createFaults = [new PluginError("no", { kind: "denied" })];

  await assert.rejects(open(api).createSnapshot(request, quietCall), (error) => isKind(error, "denied"));
  assert.equal(api.created.length, 1);
});

test("without wait a pending snapshot is answered at once", async () => {
  const api = new ScriptedEbsApi();
  api.snapshotStates = [{ State: "pending" }];

  assert.equal(await open(api).createSnapshot(request, quietCall), "snap-1");
});

test("with wait a snapshot is answered when it is completed", async () => {
  const api = new ScriptedEbsApi();
  api.snapshotStates = [notFound, { State: "pending", Progress: "40%" }, { State: "completed" }];

  assert.equal(await open(api, { isWaiting: true }).createSnapshot(request, quietCall), "snap-1");
  assert.equal(api.snapshotStates.length, 1);
});

test("with wait a failed snapshot is an error and is deleted", async () => {
  const api = new ScriptedEbsApi();
  api.snapshotStates = [{ State: "pending" }, { State: "error", StateMessage: "key disabled" }];

  await assert.rejects(
    open(api, { isWaiting: true }).createSnapshot(request, quietCall),
    (error) => isKind(error, "denied") && error.message.includes("key disabled"),
  );
  assert.deepEqual(api.deleted, ["snap-1"]);
});

test("with wait a snapshot that does not complete in time is an error and is deleted", async () => {
  const api = new ScriptedEbsApi();
  api.snapshotStates = [{ State: "pending", Progress: "1%" }];

  await assert.rejects(open(api, { isWaiting: true }).createSnapshot(request, quietCall), (error) =>
    isKind(error, "timeout"),
  );
  assert.deepEqual(api.deleted, ["snap-1"]);
});

test("a gp3 volume is restored with its IOPS, throughput and tags", async () => {
  const api = new ScriptedEbsApi();
  const Tags = [
    { Key: "flotilla.io/throughput", Value: "250" },
    { Key: "team", Value: "x" },
  ];
  api.snapshotStates = [{ Encrypted: true, Tags }];

  assert.equal(await open(api).createVolumeFromSnapshot(restore, quietCall), "vol-2");

  const { ClientToken, ...input } = api.volumes[0] ?? {};
  assert.match(ClientToken ?? "", /^[0-9a-f-]{36}$/);
  assert.deepEqual(input, {
    SnapshotId: "snap-1",
    AvailabilityZone: "us-east-1a",
    VolumeType: "gp3",
    Iops: 4000,
    Throughput: 250,
    Encrypted: true,
    TagSpecifications: [{ ResourceType: "volume", Tags: [{ Key: "team", Value: "x" }] }],
  });
});

test("a gp2 volume is restored without IOPS and throughput", async () => {
  const api = new ScriptedEbsApi();
  api.snapshotStates = [{ Tags: [{ Key: "flotilla.io/throughput", Value: "250" }] }];

  await open(api).createVolumeFromSnapshot({ ...restore, volumeType: "gp2" }, quietCall);

  assert.deepEqual([api.volumes[0]?.Iops, api.volumes[0]?.Throughput], [undefined, undefined]);
});

test("a snapshot of the official plugin is restored as it would", async () => {
  const api = new ScriptedEbsApi();

  await open(api).createVolumeFromSnapshot({ ...restore, iops: undefined }, quietCall);

  assert.deepEqual([api.volumes[0]?.Iops, api.volumes[0]?.Throughput], [undefined, undefined]);
});

test("ebsKmsKeyId encrypts the restored volume", async () => {
  const api = new ScriptedEbsApi();

  await open(api, { kmsKeyId: "alias/k" }).createVolumeFromSnapshot(restore, quietCall);

  assert.deepEqual([api.volumes[0]?.Encrypted, api.volumes[0]?.KmsKeyId], [true, "alias/k"]);
});

test("without a zone nothing is created", async () => {
  const api = new ScriptedEbsApi();

  await assert.rejects(open(api).createVolumeFromSnapshot({ ...restore, volumeAz: "" }, quietCall), (error) =>
    isKind(error, "invalid-config"),
  );
  assert.equal(api.volumes.length, 0);
});

test("with wait a volume that vanishes, as for a denied key, is an error", async () => {
  const api = new ScriptedEbsApi();
  api.volumeStates = [{ State: "creating" }, notFound];

  await assert.rejects(
    open(api, { isWaiting: true }).createVolumeFromSnapshot(restore, quietCall),
    (error) => isKind(error, "denied") && error.message.includes("KMS"),
  );
  assert.deepEqual(api.deleted, ["vol-2"]);
});

test("a snapshot is described with its progress and size", async () => {
  const api = new ScriptedEbsApi();
  const StartTime = new Date(0);
  api.snapshotStates = [
    { VolumeId: "vol-1", State: "pending", Progress: "40%", VolumeSize: 8, Encrypted: true, StartTime },
  ];

  assert.deepEqual(await open(api).describeSnapshot("snap-1", quietCall), {
    snapshotId: "snap-1",
    volumeId: "vol-1",
    state: "pending",
    progressPercent: 40,
    volumeSizeBytes: 8n * 1024n ** 3n,
    encrypted: true,
    startedAt: StartTime,
    tags: {},
  });
});
