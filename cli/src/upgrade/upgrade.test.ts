import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { factsOf } from "../plugin-facts/plugin-facts.ts";
import { Flotilla } from "../testing/flotilla.ts";
import { effectOfLeaving } from "./key-effects.ts";
import type { Step } from "./plan.ts";

const flotilla = await Flotilla.prepare();

test("an official installation needs nothing but another image; each key stays", async () => {
  const { steps, exitCode } = await plan(cluster({ config: { region: "eu-central-1", signatureVersion: "4" } }));

  assert.equal(exitCode, 0);
  assert.deepEqual(find(steps, "change"), [
    "init container velero-plugin: velero/velero-plugin-for-aws:v1.14.3 becomes r.example.com/x/velero-plugin-for-aws:TAG",
  ]);
  assert.ok(find(steps, "stays").includes("key region"));
  assert.ok(find(steps, "advice").includes("key signatureVersion"));
});

test("on the way back each key of ours is to be removed first, with what becomes of what it did", async () => {
  const { steps, exitCode } = await plan(
    cluster({
      image: "r.example.com/x/velero-plugin-for-aws:v1",
      config: { region: "x", copyTo: "s3://c", memoryLimit: "1Gi" },
    }),
    "official",
  );

  assert.equal(exitCode, 1);
  assert.deepEqual(find(steps, "first"), ["remove the key copyTo", "remove the key memoryLimit"]);
  assert.match(steps.find(({ what }) => what.includes("copyTo"))?.why ?? "", /copies stay/);
  assert.match(find(steps, "change").join(), /becomes velero\/velero-plugin-for-aws:TAG/);
});

test("what only this plugin can read is told as lost before anything else", async () => {
  const { steps } = await plan(
    cluster({ provider: "gcp", config: { customerKeyEncryptionSecret: "keys/k" } }),
    "official",
  );

  assert.equal(steps[0]?.action, "lost");
  assert.match(steps[0]?.why ?? "", /cannot read what was written with this key/);
});

test("a value that the official plugin refuses is found although the key is official", async () => {
  const { steps } = await plan(cluster({ config: { region: "x", tagging: "team=a" } }), "official");

  assert.deepEqual(find(steps, "first"), ["change the key tagging"]);
});

test("a key that Azure's official plugin demands is asked for on the way back", async () => {
  const { steps } = await plan(cluster({ provider: "azure", config: { useAAD: "true" } }), "official");

  assert.deepEqual(find(steps, "first"), ["add the key storageAccount"]);
});

test("a region that AWS's official plugin demands beside an endpoint is asked for on the way back", async () => {
  const { steps } = await plan(cluster({ config: { s3Url: "https://s3.example.com" } }), "official");

  assert.deepEqual(find(steps, "first"), ["add the key region"]);
});

test("a key that nobody knows stops the way here: the plugin would refuse the location", async () => {
  const { steps, exitCode } = await plan(cluster({ config: { regoin: "x" } }));

  assert.equal(exitCode, 1);
  assert.deepEqual(find(steps, "first"), ["remove the key regoin"]);
});

test("a server that is too old, a trial's name and its variable are told", async () => {
  const { steps } = await plan(
    cluster({ provider: "flotilla.io/aws", config: { region: "x" }, server: "v1.9.0", variable: true }),
  );

  assert.match(find(steps, "first").join(), /Velero v1\.9\.0/);
  assert.match(find(steps, "change").join("\n"), /provider flotilla\.io\/aws becomes aws/);
  assert.ok(find(steps, "advice").includes("FLOTILLA_ALIAS is set"));
});

test("our own init container is left alone on the way here, whatever its image is called", async () => {
  const { steps } = await plan(
    cluster({ container: "flotilla-plugin-aws", image: "other/velero-plugin-for-aws:v1", config: { region: "x" } }),
  );

  assert.deepEqual(find(steps, "change"), []);
});

test("an official image in a mirror is not taken for ours without a word", async () => {
  const aws = await plan(cluster({ image: "r.example.com/x/velero-plugin-for-aws:v1.14.3", config: { region: "x" } }));
  const azure = await plan(
    cluster({ provider: "azure", image: "r.example.com/x/velero-plugin-for-microsoft-azure:v1.14.2", config: {} }),
  );

  assert.match(find(aws.steps, "advice").join(), /velero-plugin-for-aws:v1\.14\.3/);
  assert.match(find(azure.steps, "change").join(), /becomes r\.example\.com\/x\/velero-plugin-for-azure:TAG/);
});

test("on the way back an image whose origin nobody knows is not taken for the official one without a word", async () => {
  const { steps } = await plan(
    cluster({ image: "other.example.com/velero-plugin-for-aws:v1", config: {} }),
    "official",
  );

  assert.match(find(steps, "advice").join(), /other\.example\.com\/velero-plugin-for-aws:v1/);
  assert.match(steps.find(({ what }) => what.includes("other."))?.why ?? "", /--registry/);
});

test("the change of the image comes with the command that makes it, and the way back with its own", async () => {
  const [here] = (await plan(cluster({ config: { region: "x" } }))).steps.filter(({ action }) => action === "change");
  const image = "r.example.com/x/velero-plugin-for-aws:v1";
  const [back] = (await plan(cluster({ image, config: { region: "x" } }), "official")).steps.filter(
    ({ action }) => action === "change",
  );

  const command = "kubectl set image deployment/velero --namespace backups velero-plugin=";
  assert.equal(here?.why.split(": ").at(-1), `${command}r.example.com/x/velero-plugin-for-aws:TAG`);
  assert.equal(back?.why.split(": ").at(-1), `${command}velero/velero-plugin-for-aws:TAG`);
});

test("a key of ours that is there already is not said to be the official plugin's", async () => {
  const { steps } = await plan(cluster({ config: { region: "x", copyTo: "s3://c" } }));
  const whyOf = (key: string): string => steps.find(({ what }) => what === `key ${key}`)?.why ?? "";

  assert.match(whyOf("region"), /both plugins know it/);
  assert.match(whyOf("copyTo"), /only this project's plugin knows it/);
});

test("a server with less memory than its plugins may need is told how much to give it, and how", async () => {
  const [small, enough, none] = await Promise.all(
    ["512Mi", "1Gi", undefined].map(async (memory) => await plan(cluster({ memory, config: { region: "x" } }))),
  );

  const advice = small?.steps.find(({ what }) => what.includes("memory"));
  assert.deepEqual([advice?.action, advice?.what], ["advice", "memory limit 512Mi"]);
  assert.match(advice?.why ?? "", /kubectl set resources .* --containers velero --limits memory=1024Mi/);
  for (const { steps } of [enough, none].filter((each) => each !== undefined))
    assert.ok(!steps.some(({ what }) => what.includes("memory")));
});

test("of every key of ours it is known what becomes of what it did", () => {
  for (const cloud of ["aws", "azure", "gcp"] as const) {
    const keys = factsOf(cloud).locations.flatMap((location) => Object.entries(location.keys));
    const ours = keys.filter(([, { origin }]) => origin === "ours").map(([key]) => key);

    assert.deepEqual(
      ours.filter((key) => effectOfLeaving(key).effect === effectOfLeaving("regoin").effect),
      [],
    );
    assert.ok(ours.length > 0);
  }
});

test("a registry means the same with a slash behind it, and one that no image can have is refused", async () => {
  const image = "r.example.com/x/velero-plugin-for-aws:v1";
  const folder = await flotilla.write({ "cluster.yaml": cluster({ image, config: {} }) });
  const words = ["upgrade", "--to", "official", join(folder, "cluster.yaml"), "--registry"];

  const known = await flotilla.run(...words, "r.example.com/x/");
  const refused = await flotilla.run(...words, "https://r.example.com/x");

  assert.match(known.stdout, /becomes velero\/velero-plugin-for-aws:TAG/);
  assert.equal(refused.exitCode, 2);
  assert.match(refused.stderr, /without https/);
});

test("files without any of these resources, and no files, are refused in words", async () => {
  const folder = await flotilla.write({ "a.yaml": "kind: ConfigMap\n", "b.yaml": "a: [\n" });
  const faults = [
    [[], /nothing to look at/],
    [[join(folder, "a.yaml")], /hold no BackupStorageLocation/],
    [[join(folder, "b.yaml")], /cannot be read as YAML/],
    [[join(folder, "none.yaml")], /cannot be read/],
  ] as const;
  for (const [paths, message] of faults) {
    const { exitCode, stderr } = await flotilla.run("upgrade", ...paths);

    assert.equal(exitCode, 2);
    assert.match(stderr, message);
  }
});

interface ClusterOptions {
  readonly provider?: string;
  readonly container?: string;
  readonly image?: string;
  readonly server?: string;
  readonly variable?: boolean;
  readonly memory?: string | undefined;
  readonly config: Readonly<Record<string, string>>;
}

/** As `kubectl get deployment/velero bsl -o yaml` prints it. */
function cluster({
  provider = "aws",
  container = "velero-plugin",
  image,
  server = "v1.18.3",
  variable,
  memory,
  config,
}: ClusterOptions): string {
  const plugin = image ?? "velero/velero-plugin-for-aws:v1.14.3";
  const env = variable === true ? [{ name: "FLOTILLA_ALIAS", value: "flotilla.io" }] : [];
  const pod = {
    initContainers: [{ name: container, image: plugin }],
    containers: [{ name: "velero", image: `velero/velero:${server}`, env, resources: { limits: { memory } } }],
  };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    items: [
      { kind: "Deployment", metadata: { name: "velero", namespace: "backups" }, spec: { template: { spec: pod } } },
      {
        kind: "BackupStorageLocation",
        metadata: { name: "default" },
        spec: { provider, objectStorage: { bucket: "b" }, config },
      },
    ],
  });
}

async function plan(yaml: string, to = "flotilla"): Promise<{ steps: readonly Step[]; exitCode: number | null }> {
  const folder = await flotilla.write({ "cluster.yaml": yaml });
  const words = ["upgrade", join(folder, "cluster.yaml"), "--to", to, "--registry", "r.example.com/x", "-o", "json"];
  const { stdout, exitCode } = await flotilla.run(...words);
  return { ...(JSON.parse(stdout) as { steps: readonly Step[] }), exitCode };
}

function find(steps: readonly Step[], action: Step["action"]): string[] {
  return steps.filter((step) => step.action === action).map(({ what }) => what);
}
