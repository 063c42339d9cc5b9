import assert from "node:assert/strict";
import { test } from "node:test";
import type { Volume } from "@aws-sdk/client-ec2";
import { EbsPlaces } from "./ebs-place.ts";
import type { EbsPlaceOptions } from "./ebs-place.ts";
import { quietCall } from "./testing/call.ts";

const region = "eu-west-1";

function places(options: Partial<EbsPlaceOptions> = {}): { readonly places: EbsPlaces; readonly asked: string[] } {
  const asked: string[] = [];
  const api = {
    describeVolume: async (volumeId: string): Promise<Volume> => {
      asked.push(volumeId);
      return { AvailabilityZone: `${region}c` };
    },
  };
  return { places: new EbsPlaces({ api, region, zoneMap: new Map(), defaultZone: undefined, ...options }), asked };
}

function volumeIn(zone: string) {
  return { apiVersion: "v1", kind: "PersistentVolume", metadata: { labels: { "topology.kubernetes.io/zone": zone } } };
}

for (const zone of [
  "us-east-1a",
  "us-gov-west-1b",
  "ap-southeast-10a",
  "eusc-de-east-1a",
  "us-west-2-lax-1a",
  "us-east-1-wl1-bos-wlz-1",
]) {
  test(`${zone} is another region's zone and is refused without a mapping`, () => {
    assert.throws(() => places().places.choose("snap-1", zone, quietCall), { kind: "invalid-config" });
  });
}

for (const zone of ["eu-west-1a", "eu-west-1-dub-1a", "nova", "cluster01"]) {
  test(`${zone} stays: it is this region's, or some other cloud's that speaks this API`, () => {
    assert.equal(places().places.choose("snap-1", zone, quietCall), zone);
  });
}

test("a PersistentVolume of this region's zone costs no request", async () => {
  const { places: here, asked } = places();

  assert.deepEqual(await here.written(volumeIn("eu-west-1a"), "vol-1", quietCall), volumeIn("eu-west-1a"));
  assert.deepEqual(asked, []);
});

test("a PersistentVolume that says no zone is left as it is", async () => {
  const { places: here, asked } = places();
  const volume = { apiVersion: "v1", kind: "PersistentVolume" };

  assert.deepEqual(await here.written(volume, "vol-1", quietCall), volume);
  assert.deepEqual(asked, []);
});

test("a volume that was restored here is known, without a request", async () => {
  const { places: here, asked } = places();
  here.learn("vol-1", "eu-west-1b");

  assert.deepEqual(await here.written(volumeIn("us-east-1a"), "vol-1", quietCall), volumeIn("eu-west-1b"));
  assert.deepEqual([here.has("vol-1"), here.has("vol-2"), asked], [true, false, []]);
});

test("a volume of another process is looked up where the PersistentVolume cannot be right", async () => {
  const { places: here, asked } = places();

  assert.deepEqual(await here.written(volumeIn("us-east-1a"), "vol-1", quietCall), volumeIn("eu-west-1c"));
  assert.deepEqual(asked, ["vol-1"]);
});
