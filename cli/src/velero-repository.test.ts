import assert from "node:assert/strict";
import { test } from "node:test";
import type { ObjectLocation } from "./location.ts";
import { veleroRepositoryLocation } from "./velero-repository.ts";

function location(provider: string, config: Record<string, string> = {}, prefix = "p"): ObjectLocation {
  return { name: "default", provider, bucket: "b", prefix, config, isReadOnly: false };
}

const repositories: readonly (readonly [title: string, location: ObjectLocation, repository: string])[] = [
  ["S3", location("velero.io/aws", { region: "eu-west-1" }), "s3:s3-eu-west-1.amazonaws.com/b/p/restic/shop"],
  ["S3 by its short name", location("aws", { region: "r" }, ""), "s3:s3-r.amazonaws.com/b/restic/shop"],
  [
    "an S3 server",
    location("aws", { s3Url: "https://minio:9000/", region: "r" }),
    "s3:https://minio:9000/b/p/restic/shop",
  ],
  ["Azure", location("velero.io/azure"), "azure:b:/p/restic/shop"],
  ["Google", location("velero.io/gcp", {}, "a/b"), "gs:b:/a/b/restic/shop"],
  ["a prefix of its own", location("velero.io/gcp", { resticRepoPrefix: "gs:x:/y/" }), "gs:x:/y/shop"],
];

for (const [title, from, repository] of repositories)
  test(`the server's repository of a namespace is found: ${title}`, () => {
    assert.deepEqual(veleroRepositoryLocation(from, "shop").config, { repository, writtenBy: "velero" });
  });

test("what is missing to name the repository is said", () => {
  assert.throws(() => veleroRepositoryLocation(location("aws"), "shop"), /region=REGION/);
  assert.throws(() => veleroRepositoryLocation(location("aws", { region: "r" }), ""), /--namespace/);
  assert.throws(() => veleroRepositoryLocation(location("example.com/disk"), "shop"), /repository=REPOSITORY/);
});

test("the credentials of the location open the repository, too", () => {
  const { config } = veleroRepositoryLocation(location("velero.io/azure", { credentialsFile: "/c" }), "shop");

  assert.equal(config["credentialsFile"], "/c");
});
