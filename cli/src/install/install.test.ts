import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import type { Command } from "commander";
import { parse, parseAllDocuments } from "yaml";

import { factsOf } from "../plugin-facts/plugin-facts.ts";
import { createProgram } from "../program.ts";
import { Flotilla } from "../testing/flotilla.ts";
import type { KubernetesObject } from "./kubernetes-objects.ts";

const flotilla = await Flotilla.prepare();
const secretText = "[default]\naws_access_key_id=AKIDEXAMPLE\naws_secret_access_key=it's a secret\n";
const credentials = join(await flotilla.write({ credentials: secretText }), "credentials");
const aws = ["install", "--provider", "aws", "--bucket", "b", "--config", "region=eu-central-1"];

test("velero's line carries values with commas and spaces through a shell and velero's own reading", async () => {
  const copies = "copyToRegions=eu-west-1?kmsKeyId=alias/x,eu-north-1";

  const { stdout } = await flotilla.run(...aws, "--config", "tagging=owner=it's me", "--volume-config", copies);

  const words = await readByShell(stdout);
  assert.deepEqual(words.slice(0, 4), ["velero", "install", "--provider", "aws"]);
  assert.equal(after(words, "--backup-location-config"), "region=eu-central-1,tagging=owner=it's me");
  assert.equal(after(words, "--snapshot-location-config"), `region=eu-central-1,"${copies}"`);
});

test("without a credentials file velero's line says where one is expected, and with an identity that there is none", async () => {
  const withSecret = await flotilla.run(...aws);
  const withIdentity = await flotilla.run(...aws, "--identity", "arn:aws:iam::1:role/velero");

  assert.match(withSecret.stdout, /--secret-file \.\/credentials/);
  assert.match(withIdentity.stdout, /--no-secret/);
  assert.match(withIdentity.stdout, /--sa-annotations eks\.amazonaws\.com\/role-arn=arn:aws:iam::1:role\/velero/);
});

test("where the cloud alone ties an identity to the service account, nothing mounts a Secret", async () => {
  for (const form of ["manifests", "helm"]) {
    const { stdout, exitCode } = await flotilla.run(...aws, "--no-secret", "-o", form);

    assert.equal(exitCode, 0);
    assert.doesNotMatch(stdout, /cloud-credentials|role-arn/);
  }
  assert.match((await flotilla.run(...aws, "--no-secret")).stdout, /--no-secret/);
});

test("an installation that the plugin would refuse is refused here, with the keys that there are", async () => {
  const { exitCode, stdout, stderr } = await flotilla.run(...aws, "--config", "regoin=x");

  assert.equal(exitCode, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /no key regoin .* it has .*region/);
});

test("what cannot be installed is said in words, and nothing is printed", async () => {
  const faults = [
    [["install"], /which cloud/],
    [["install", "--provider", "oracle", "--bucket", "b"], /aws, azure, gcp and restic only/],
    [["install", "--provider", "aws"], /no bucket given/],
    [["install", "--provider", "aws", "--bucket", "b"], /region of the volumes is missing/],
    [[...aws, "--credentials-file", "nowhere"], /nowhere cannot be read/],
    [[...aws, "--credentials-file", credentials, "--identity", "x"], /exclude each other/],
    [["install", "--provider", "restic", "--bucket", "b", "--policy"], /by itself/],
    [[...aws, "--credentials-file", credentials, "--no-secret"], /exclude each other/],
    [[...aws, "--namespace", "Velero"], /lower-case letters/],
    [[...aws, "--verify-schedule", "nightly"], /five fields of cron/],
  ] as const;
  for (const [words, message] of faults) {
    const { exitCode, stdout, stderr } = await flotilla.run(...words);

    assert.match(stderr, message);
    assert.deepEqual([exitCode, stdout], [2, ""]);
  }
});

test("manifests are whole: the plugin, the Secret, both locations, and a CronJob for each copy", async () => {
  const target = await flotilla.write({ "copy.yaml": location("gcp", "copies") });

  const { stdout, stderr } = await flotilla.run(
    ...aws,
    "--credentials-file",
    credentials,
    "--copy-to",
    join(target, "copy.yaml"),
    "-o",
    "manifests",
    "--registry",
    "r.example.com",
    "--tag",
    "v1",
    "--volume-config",
    "copyToRegions=eu-west-1",
  );

  const objects = readObjects(stdout);
  assert.deepEqual(
    objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    [
      "Secret cloud-credentials",
      "Deployment velero",
      "BackupStorageLocation default",
      "VolumeSnapshotLocation default",
      "ConfigMap flotilla-locations",
      "CronJob flotilla-verify",
      "CronJob flotilla-volume-copy",
      "CronJob flotilla-backup-copy",
    ],
  );
  assert.deepEqual(objects[0]?.["stringData"], { cloud: secretText });
  assert.deepEqual(imagesOf(objects.at(-1)), [
    "r.example.com/velero-plugin-for-aws:v1",
    "r.example.com/velero-plugin-for-gcp:v1",
    "r.example.com/flotilla:v1",
  ]);
  assert.match(stderr, /holds the credentials/);
});

test("what a CronJob runs is a command of this program, and it can read the locations that it is given", async () => {
  const target = await flotilla.write({ "copy.yaml": location("azure", "copies") });
  const { stdout } = await flotilla.run(
    ...aws,
    "--volume-config",
    "copyToRegions=eu-west-1",
    "--copy-to",
    join(target, "copy.yaml"),
    "-o",
    "manifests",
  );
  const objects = readObjects(stdout);
  const files = objects.find(({ kind }) => kind === "ConfigMap")?.["data"];
  const folder = await flotilla.write(files as Record<string, string>);
  await writeFile(join(folder, "cloud"), secretText);

  for (const job of objects.filter(({ kind }) => kind === "CronJob")) {
    const words = argumentsOf(job).map((word) =>
      word.replace(/^\/(locations|credentials|copy-credentials)\//, `${folder}/`),
    );

    // The plugin at hand is another cloud's, which is told once flags and files have been read.
    const { stderr } = await flotilla.run(...words, "--plugin", flotilla.plugin);

    assert.match(stderr, /velero\.io\/(aws|azure)/, words.join(" "));
    assert.deepEqual(unknownFlags(words), []);
  }
});

test("text that YAML 1.1 reads as something else is in quotes, for kubectl and helm", async () => {
  const words = [...aws, "--config", "profile=on", "--config", "tagging=1_000"];
  for (const form of ["manifests", "helm"]) {
    const { stdout } = await flotilla.run(...words, "-o", form);

    assert.match(stdout, /profile: "on"/);
    assert.match(stdout, /tagging: "1_000"/);
    assert.doesNotMatch(stdout, /: (on|1_000)$/m);
  }
});

test("images and files that the pods would miss are told", async () => {
  const target = await flotilla.write({ "copy.yaml": location("gcp", "copies") });
  const file = ["--config", "customerKeyEncryptionFile=/keys/key", "-o", "helm"];
  const copies = ["--config", "copyTo=s3://c?credentialsFile=/c/cloud"];

  const { stderr } = await flotilla.run(
    ...aws,
    "--image",
    "r/p:v1",
    "--copy-to",
    join(target, "copy.yaml"),
    ...file,
    ...copies,
  );

  assert.match(stderr, /say where the images are/);
  assert.match(stderr, /mounts the file that the key customerKeyEncryptionFile names/);
  assert.match(stderr, /mounts the file that the key copyTo names as credentialsFile/);
});

test("a CronJob knows the namespace of the Secrets that a location's keys name", async () => {
  const { stdout } = await flotilla.run(...aws, "--namespace", "backups", "-o", "manifests");

  const jobs = readObjects(stdout).filter(({ kind }) => kind === "CronJob");
  assert.deepEqual(
    jobs.map((job) => podOf(job).containers[0]?.env),
    jobs.map(() => [{ name: "VELERO_NAMESPACE", value: "backups" }]),
  );
  assert.ok(jobs.length > 0);
});

test("a prefix with slashes around it is the same prefix, as the server has it", async () => {
  const policy = await policyOf(...aws, "--prefix", "/p/", "--policy", "objects");

  assert.equal(policy.Statement[1]?.Resource, "arn:aws:s3:::b/p/*");
});

test("tags of the copies alone need the permission to tag", async () => {
  const policy = await policyOf(...aws, "--config", "copyTo=s3://c?tagging=a%3Db", "--policy", "objects");

  assert.ok(policy.Statement.some(({ Action }) => Action.includes("s3:PutObjectTagging")));
});

test("Helm values hold what the chart takes, in its own names", async () => {
  const { stdout } = await flotilla.run(...aws, "--prefix", "p", "-o", "helm");

  const values = parse(stdout) as Record<string, Record<string, unknown>>;
  assert.deepEqual(values["configuration"]?.["backupStorageLocation"], [
    {
      name: "default",
      provider: "aws",
      bucket: "b",
      prefix: "p",
      default: true,
      accessMode: "ReadWrite",
      config: { region: "eu-central-1" },
    },
  ]);
  assert.deepEqual(values["credentials"], { useSecret: true, existingSecret: "cloud-credentials" });
  assert.doesNotMatch(stdout, /[&*]a1/);
});

test("Helm values say how they are used: in the namespace that the CronJobs are in, with the Secret made before", async () => {
  const { stdout } = await flotilla.run(...aws, "--namespace", "backups", "-o", "helm");
  const given = await flotilla.run(...aws, "--credentials-file", credentials, "-o", "helm");

  assert.match(stdout, /^# .*helm upgrade --install velero .* --namespace backups .*--values/m);
  assert.match(stdout, /^# .*kubectl create secret generic cloud-credentials --namespace backups --from-file cloud=/m);
  assert.doesNotMatch(given.stdout, /create secret/);
});

test("a CronJob has the server's token only where a key names a Secret that is to be read", async () => {
  const named = ["--config", "customerKeyEncryptionSecret=keys/one", "-o", "manifests"];
  const [without, withSecret] = [await flotilla.run(...aws, "-o", "manifests"), await flotilla.run(...aws, ...named)];

  const mounts = ({ stdout }: { stdout: string }): unknown[] =>
    readObjects(stdout)
      .filter(({ kind }) => kind === "CronJob")
      .map((job) => podOf(job).automountServiceAccountToken);
  assert.deepEqual(mounts(without), [false]);
  assert.deepEqual(mounts(withSecret), [true]);
});

test("restic's locations name their Secret in every form, since no variable of the server does", async () => {
  const restic = ["install", "--provider", "restic", "--bucket", "b", "--config", "repository=s3:x"];
  const both = [...restic, "--volume-config", "repository=s3:x"];

  const [helm, line] = [await flotilla.run(...both, "-o", "helm"), await flotilla.run(...both)];

  const { configuration } = parse(helm.stdout) as { configuration: Record<string, { credential: unknown }[]> };
  const named = ["backupStorageLocation", "volumeSnapshotLocation"].map((key) => configuration[key]?.[0]?.credential);
  assert.deepEqual(named, [
    { name: "cloud-credentials", key: "cloud" },
    { name: "cloud-credentials", key: "cloud" },
  ]);
  assert.match(line.stderr, /velero backup-location set default --credential cloud-credentials=cloud/);
  assert.match(line.stderr, /velero snapshot-location set default --credential cloud-credentials=cloud/);
});

test("a pod's identity reaches the service account, the pods and the location, as each cloud wants it", async () => {
  const azure = ["install", "--provider", "azure", "--bucket", "b", "--identity", "client-1", "-o", "manifests"];
  const gcp = ["install", "--provider", "gcp", "--bucket", "b", "--identity", "a@p.iam", "-o", "manifests"];

  const [onAzure, onGcp] = [(await flotilla.run(...azure)).stdout, (await flotilla.run(...gcp)).stdout];

  assert.match(onAzure, /azure\.workload\.identity\/client-id: client-1/);
  assert.equal(onAzure.match(/azure\.workload\.identity\/use: "true"/g)?.length, 2);
  assert.match(onGcp, /iam\.gke\.io\/gcp-service-account: a@p\.iam/);
  assert.match(onGcp, /serviceAccount: a@p\.iam/);
  assert.doesNotMatch(onGcp, /secretName/);
});

test("AWS's policy names the buckets of copies too, keys by their aliases, and only what the keys ask for", async () => {
  const words = ["--prefix", "p", "--config", "copyTo=s3://c/q?kmsKeyId=alias%2Fk", "--config", "tagging=a=b"];

  const policy = await policyOf(...aws, ...words, "--policy", "objects");

  const actions = policy.Statement.flatMap(({ Action }) => Action);
  assert.deepEqual(policy.Statement.map(({ Resource }) => Resource).slice(0, 2), [
    ["arn:aws:s3:::b", "arn:aws:s3:::c"],
    ["arn:aws:s3:::b/p/*", "arn:aws:s3:::c/q/*"],
  ]);
  assert.ok(actions.includes("s3:PutObjectTagging"));
  assert.ok(actions.every((action) => !action.startsWith("ec2:") && !action.includes("*")));
  assert.deepEqual(policy.Statement.at(-1)?.Condition, {
    "ForAnyValue:StringEquals": { "kms:ResourceAliases": ["alias/k"] },
  });
});

test("Azure's role asks for account keys only where there is nothing else", async () => {
  const azure = ["install", "--provider", "azure", "--bucket", "b", "--policy"];

  const [byToken, byKey] = await Promise.all([
    flotilla.run(...azure, "--config", "useAAD=true"),
    flotilla.run(...azure, "--config", "useAAD=false"),
  ]);

  assert.doesNotMatch(byToken.stdout, /listKeys/);
  assert.match(byToken.stdout, /blobs\/write/);
  assert.match(byKey.stdout, /listKeys/);
  assert.doesNotMatch(byKey.stdout, /blobs\/write/);
});

test("each permission is granted where it belongs on Google Cloud: bucket, project, account", async () => {
  const { stdout } = await flotilla.run("install", "--provider", "gcp", "--bucket", "b", "--policy", "-o", "json");

  const roles = JSON.parse(stdout) as Record<string, { includedPermissions: string[] }>;
  assert.deepEqual(Object.keys(roles), ["velero.objects", "velero.volumes", "velero.signer"]);
  assert.ok(roles["velero.volumes"]?.includedPermissions.every((name) => name.startsWith("compute.")));
});

test("on Google Cloud the role for objects is granted on the buckets of copies as well", async () => {
  const gcp = ["install", "--provider", "gcp", "--bucket", "b", "--config", "copyTo=gs://c/p", "--policy"];

  const { stderr } = await flotilla.run(...gcp);

  assert.match(stderr, /add-iam-policy-binding gs:\/\/b --member/);
  assert.match(stderr, /add-iam-policy-binding gs:\/\/c --member/);
});

test("no permission that a location needs is left out of what is printed", async () => {
  for (const cloud of ["aws", "azure", "gcp"] as const) {
    const region = cloud === "aws" ? ["--config", "region=x"] : [];

    const { stdout } = await flotilla.run("install", "--provider", cloud, "--bucket", "b", ...region, "--policy");

    const needed = factsOf(cloud).permissions.filter(({ keys }) => keys === undefined);
    assert.deepEqual(
      needed.map(({ name }) => name).filter((name) => !stdout.includes(name)),
      [],
    );
  }
});

test("a larger memory bound asks for a larger limit", async () => {
  const [usual, larger] = [await flotilla.run(...aws), await flotilla.run(...aws, "--config", "memoryLimit=1Gi")];

  const limit = ({ stdout }: { stdout: string }): number =>
    Number(/--velero-pod-mem-limit (\d+)Mi/.exec(stdout)?.[1] ?? "0");
  assert.ok(limit(larger) - limit(usual) >= 960);
});

interface AwsPolicy {
  readonly Statement: readonly {
    readonly Action: readonly string[];
    readonly Resource: unknown;
    readonly Condition?: unknown;
  }[];
}

async function policyOf(...words: readonly string[]): Promise<AwsPolicy> {
  return JSON.parse((await flotilla.run(...words)).stdout) as AwsPolicy;
}

async function readByShell(line: string): Promise<readonly string[]> {
  const script = `velero() { for word in velero "$@"; do printf '%s\\0' "$word"; done; }\n${line}`;
  const { stdout } = await promisify(execFile)("sh", ["-c", script]);
  return stdout.split("\0").slice(0, -1);
}

function after(words: readonly string[], flag: string): string | undefined {
  return words[words.indexOf(flag) + 1];
}

function readObjects(stream: string): KubernetesObject[] {
  return parseAllDocuments(stream).flatMap((document) => {
    assert.deepEqual(document.errors, []);
    // What the command prints, read back; the assertions look at what they need.
    const object = document.toJS() as KubernetesObject | null;
    return object === null ? [] : [object];
  });
}

interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly initContainers: readonly { readonly image: string }[];
  readonly containers: readonly {
    readonly image: string;
    readonly args: readonly string[];
    readonly env: readonly { readonly name: string; readonly value: string }[];
  }[];
}

function podOf(job: KubernetesObject | undefined): PodSpec {
  assert.ok(job);
  const { jobTemplate } = job["spec"] as { jobTemplate: { spec: { template: { spec: PodSpec } } } };
  return jobTemplate.spec.template.spec;
}

function imagesOf(job: KubernetesObject | undefined): string[] {
  const { initContainers, containers } = podOf(job);
  return [...initContainers, ...containers].map(({ image }) => image);
}

function argumentsOf(job: KubernetesObject): readonly string[] {
  return podOf(job).containers[0]?.args ?? [];
}

function unknownFlags([noun, verb, ...words]: readonly string[]): string[] {
  const ignore = { printOut: () => {}, printError: () => {}, now: () => new Date(0), env: {}, isTerminal: false };
  const context = { ...ignore, workingDirectory: ".", signal: new AbortController().signal };
  const find = (command: Command | undefined, name: string | undefined): Command | undefined =>
    command?.commands.find((child) => child.name() === name);
  const known = find(find(createProgram(context, { exitCode: 0 }), noun), verb)?.options.map(({ long }) => long) ?? [];
  return words.filter((word) => word.startsWith("--") && !known.includes(word));
}

function location(provider: string, bucket: string): string {
  return `apiVersion: velero.io/v1
kind: BackupStorageLocation
metadata: { name: copies }
spec: { provider: ${provider}, objectStorage: { bucket: ${bucket} }, config: {} }
`;
}
