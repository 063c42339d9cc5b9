import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { parse, parseAllDocuments } from "yaml";

import { Flotilla } from "../testing/flotilla.ts";
import type { KubernetesObject } from "./kubernetes-objects.ts";

const flotilla = await Flotilla.prepare();
const inCluster = {
  "bsl.yaml": `apiVersion: velero.io/v1
kind: BackupStorageLocation
metadata:
  name: primary
  labels: { team: platform }
  annotations: { owner: night-shift, kubectl.kubernetes.io/last-applied-configuration: "{}" }
spec:
  provider: aws
  default: true
  backupSyncPeriod: 2m0s
  validationFrequency: 1h0m0s
  credential: { name: store-credentials, key: aws }
  objectStorage: { bucket: b, caCertRef: { name: authorities, key: ca.crt } }
  config: { region: eu-central-1 }
`,
  "vsl.yaml": `apiVersion: velero.io/v1
kind: VolumeSnapshotLocation
metadata: { name: ebs }
spec: { provider: aws, credential: { name: volume-credentials, key: key }, config: { region: eu-central-1, copyToRegions: eu-west-1 } }
`,
  credentials: "[default]\naws_access_key_id=AKIDEXAMPLE\naws_secret_access_key=a{{b}}c\n",
};
const folder = await flotilla.write(inCluster);
const store = ["install", "--location", join(folder, "bsl.yaml")];
const both = [...store, "--volume-location", join(folder, "vsl.yaml")];

test("a location of the cluster stays what it was: the default one, with its frequencies, labels and CA", async () => {
  const location = await objectOf("BackupStorageLocation", ...both);

  const { default: isDefault, backupSyncPeriod, validationFrequency, objectStorage } = specOf(location);
  assert.deepEqual([isDefault, backupSyncPeriod, validationFrequency], [true, "2m0s", "1h0m0s"]);
  assert.deepEqual(objectStorage, { bucket: "b", caCertRef: { name: "authorities", key: "ca.crt" } });
  assert.deepEqual(location.metadata["labels"], { team: "platform" });
  assert.deepEqual(location.metadata["annotations"], { owner: "night-shift" });
});

test("a location that says nothing of being the default one is not made another by it", async () => {
  const plain = await flotilla.write({ "bsl.yaml": inCluster["bsl.yaml"].replace("  default: true\n", "") });

  const location = await objectOf("BackupStorageLocation", "install", "--location", join(plain, "bsl.yaml"));

  assert.equal("default" in specOf(location), false);
});

test("locations keep the Secrets that they name, unless a file of credentials is given", async () => {
  const [kept, given] = [both, [...both, "--credentials-file", join(folder, "credentials")]];

  const credentials = async (words: readonly string[]): Promise<unknown[]> =>
    await Promise.all(
      ["BackupStorageLocation", "VolumeSnapshotLocation"].map(
        async (kind) => specOf(await objectOf(kind, ...words))["credential"],
      ),
    );

  assert.deepEqual(await credentials(kept), [
    { name: "store-credentials", key: "aws" },
    { name: "volume-credentials", key: "key" },
  ]);
  const ours = { name: "cloud-credentials", key: "cloud" };
  assert.deepEqual(await credentials(given), [ours, ours]);
});

test("CronJobs read with the Secrets and the CA that the locations name", async () => {
  const { stdout } = await flotilla.run(...both, "-o", "manifests");

  const objects = readObjects(stdout);
  const files = objects.find(({ kind }) => kind === "ConfigMap")?.["data"] as Record<string, string>;
  const credentialsOf = (name: string): unknown =>
    (parse(files[name] ?? "") as { spec: { config: Record<string, string> } }).spec.config["credentialsFile"];
  assert.equal(credentialsOf("bsl.yaml"), "/credentials/aws");
  assert.equal(credentialsOf("vsl.yaml"), "/volume-credentials/key");
  const [verify] = objects.filter(({ kind }) => kind === "CronJob").map(podOf);
  assert.deepEqual(
    verify?.volumes.flatMap(({ name, secret }) => (secret === undefined ? [] : [`${name} ${secret.secretName}`])),
    ["credentials store-credentials", "volume-credentials volume-credentials", "ca authorities"],
  );
  const args = verify?.containers[0]?.args ?? [];
  assert.equal(args[args.indexOf("--ca-cert") + 1], "/ca/ca.crt");
  assert.equal(args.includes("--credentials-file"), false);
});

test("the location that backups are copied to keeps its Secret as well", async () => {
  const copies = ["--copy-to", join(folder, "bsl.yaml"), "--no-volumes", "-o", "manifests"];

  const { stdout } = await flotilla.run("install", "--provider", "gcp", "--bucket", "b", ...copies);

  const copy = podOf(readObjects(stdout).at(-1));
  assert.ok(copy.volumes.some(({ secret }) => secret?.secretName === "store-credentials"));
  assert.match(copy.containers[0]?.args.join(" ") ?? "", /--to-credentials-file \/copy-credentials\/aws/);
  assert.match(copy.containers[0]?.args.join(" ") ?? "", /--to-ca-cert \/copy-ca\/ca\.crt/);
});

test("velero's line and the chart are told what they have no word for", async () => {
  const [line, helm] = [await flotilla.run(...both), await flotilla.run(...both, "-o", "helm")];

  assert.match(line.stdout, /--no-secret/);
  assert.match(line.stderr, /velero backup-location set default --credential store-credentials=aws/);
  assert.match(line.stderr, /velero snapshot-location set default --credential volume-credentials=key/);
  assert.match(line.stderr, /CA .* Secret authorities.* --ca-cert FILE/);
  assert.match(helm.stderr, /CA .* Secret authorities.* --ca-cert FILE/);
  const values = parse(helm.stdout) as { credentials: unknown; configuration: Record<string, object[]> };
  assert.deepEqual(values.credentials, { useSecret: false });
  assert.deepEqual(values.configuration["volumeSnapshotLocation"]?.[0], {
    name: "ebs",
    provider: "aws",
    credential: { name: "volume-credentials", key: "key" },
    config: { region: "eu-central-1", copyToRegions: "eu-west-1" },
  });
});

test("what the chart would take for a template of its own is no template", async () => {
  const words = ["--config", "tagging=a={{x}}&b=c", "--credentials-file", join(folder, "credentials"), "-o", "helm"];

  const { stdout } = await flotilla.run("install", "--provider", "aws", "--bucket", "b", "--no-volumes", ...words);

  const values = parse(stdout) as {
    credentials: { secretContents: { cloud: string } };
    configuration: { backupStorageLocation: { config: { tagging: string } }[] };
    extraObjects: unknown[];
  };
  // The chart runs these two through its templates, and the location's keys it does not.
  assert.equal(rendered(values.credentials.secretContents.cloud), inCluster.credentials);
  assert.match(rendered(JSON.stringify(values.extraObjects)), /a=\{\{x\}\}&b=c/);
  assert.equal(values.configuration.backupStorageLocation[0]?.config.tagging, "a={{x}}&b=c");
});

test("a bucket, images and a Secret that the cluster would refuse are refused", async () => {
  const aws = ["install", "--provider", "aws", "--no-volumes", "--bucket"];
  const location =
    "kind: BackupStorageLocation\nspec: {provider: aws, credential: {name: s}, objectStorage: {bucket: b}}";
  const keyless = await flotilla.write({ "bsl.yaml": location });
  const faults = [
    [[...aws, "b/c"], /the bucket b\/c holds a slash/],
    [["install", "--no-volumes", "--location", join(keyless, "bsl.yaml")], /the Secret s .* no key/],
    [[...aws, "b; true"], /the bucket "b; true"/],
    [[...aws, "b", "--registry", "https://r.example.com"], /https:\/\/r\.example\.com.*without https/],
    [[...aws, "b", "--image", "r/plugin:v 1"], /r\/plugin:v 1/],
  ] as const;
  for (const [words, message] of faults) {
    const { exitCode, stdout, stderr } = await flotilla.run(...words);

    assert.match(stderr, message);
    assert.deepEqual([exitCode, stdout], [2, ""]);
  }
  assert.match((await flotilla.run(...aws, "b", "--registry", "r.example.com/")).stdout, / r\.example\.com\/velero-/);
});

/** What Go's templates make of a text whose only actions are raw strings. */
function rendered(text: string): string {
  const clean = text.replaceAll(/\{\{`([^`]*)`\}\}/g, (_, raw: string) => raw.replaceAll("{", "\0"));
  assert.doesNotMatch(clean, /\{\{/);
  return clean.replaceAll("\0", "{");
}

async function objectOf(kind: string, ...words: readonly string[]): Promise<KubernetesObject> {
  const { stdout, stderr } = await flotilla.run(...words, "-o", "manifests");
  const found = readObjects(stdout).find((object) => object.kind === kind);
  assert.ok(found, stderr);
  return found;
}

function readObjects(stream: string): KubernetesObject[] {
  return parseAllDocuments(stream).flatMap((document) => {
    // What the command prints, read back; the assertions look at what they need.
    const object = document.toJS() as KubernetesObject | null;
    return object === null ? [] : [object];
  });
}

function specOf(object: KubernetesObject): Readonly<Record<string, unknown>> {
  return object["spec"] as Readonly<Record<string, unknown>>;
}

interface PodSpec {
  readonly containers: readonly { readonly args: readonly string[] }[];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
}

function podOf(job: KubernetesObject | undefined): PodSpec {
  assert.ok(job);
  const { jobTemplate } = job["spec"] as { jobTemplate: { spec: { template: { spec: PodSpec } } } };
  return jobTemplate.spec.template.spec;
}
