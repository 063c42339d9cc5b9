import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { printJson } from "@flotilla/sdk/plugin";

import { readManifests } from "./manifests.ts";
import { resourcePaths, withSortedKeys } from "./resource.ts";
import { temporaryFolder } from "../testing/temporary-folder.ts";

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

const head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: n}\n";

const refused: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
  ["an empty folder", { "readme.md": "x" }, /holds no Kubernetes manifest/],
  ["broken JSON", { "a.json": "{" }, /a\.json cannot be read as JSON/],
  ["a document without kind", { "a.yaml": `${head}---\napiVersion: v1\n` }, /a\.yaml: document 2 has no kind/],
  ["a document without name", { "a.yaml": "apiVersion: v1\nkind: Pod\n" }, /a Pod without metadata\.name/],
  ["a plain list", { "a.yaml": "- 1\n" }, /document 1 is not a mapping/],
  ["a name with a slash", { "a.yaml": head.replace("a,", "../a,") }, /the name "\.\.\/a", which no resource can have/],
  ["one resource twice", { "a.yaml": head, "b.yaml": head }, /the ConfigMap a is there twice/],
];

for (const [what, files, reason] of refused) {
  test(`${what} is refused`, async () => {
    await assert.rejects(readManifests(await folderWith(files)), reason);
  });
}

test("numbers keep every digit, and YAML is read as Kubernetes reads it", async () => {
  const data = "data: {big: 9007199254740993, mode: 0644, yes: no, time: 12:30, date: 2026-01-02, ratio: 0.5}\n";
  const [resource] = await readManifests(await folderWith({ "a.yaml": head + data }));

  assert.equal(
    printJson(withSortedKeys(resource?.object["data"] ?? null)),
    `{"big":9007199254740993,"date":"2026-01-02","mode":420,"ratio":0.5,"time":"12:30","true":false}`,
  );
});

test("lists are unfolded, empty documents passed over", async () => {
  const list = `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}}]}`;
  const resources = await readManifests(await folderWith({ "a.json": list, "b.yaml": `---\n${head}---\n` }));

  assert.deepEqual(
    resources.map(({ kind }) => kind),
    ["Namespace", "ConfigMap"],
  );
});

const paths: readonly (readonly [string, readonly string[]])[] = [
  [
    "v1 Namespace n",
    ["resources/namespaces/cluster/n.json", "resources/namespaces/v1-preferredversion/cluster/n.json"],
  ],
  [
    "apps/v1 Deployment n",
    [
      "resources/deployments.apps/namespaces/default/n.json",
      "resources/deployments.apps/v1-preferredversion/namespaces/default/n.json",
    ],
  ],
  [
    "networking.k8s.io/v1 NetworkPolicy n",
    [
      "resources/networkpolicies.networking.k8s.io/namespaces/default/n.json",
      "resources/networkpolicies.networking.k8s.io/v1-preferredversion/namespaces/default/n.json",
    ],
  ],
  [
    "networking.k8s.io/v1 IngressClass n",
    [
      "resources/ingressclasses.networking.k8s.io/cluster/n.json",
      "resources/ingressclasses.networking.k8s.io/v1-preferredversion/cluster/n.json",
    ],
  ],
];

for (const [resource, expected] of paths) {
  test(`${resource} lies where the server puts it`, async () => {
    const [apiVersion, kind, name] = resource.split(" ");
    const json = JSON.stringify({ apiVersion, kind, metadata: { name } });
    const [read] = await readManifests(await folderWith({ "a.json": json }));

    assert.deepEqual(read === undefined ? [] : resourcePaths(read), expected);
  });
}
