import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePathRules } from "./volume-path-rules.ts";

const wrong: readonly (readonly [title: string, text: string, words: RegExp])[] = [
  ["nothing", " , ", /no rule/],
  ["a rule without a folder", "nfs", /SOURCE=FOLDER/],
  ["an unknown source", "smb=x", /none of nfs, hostPath, local and csi:DRIVER/],
  ["a server without a path", "nfs:10.0.0.1=x", /nfs:SERVER:\/PATH/],
  ["a relative path", "hostPath:data=x", /does not begin with a slash/],
  ["a folder with ..", "hostPath:/data=../x", /"\.\."/],
  ["a path with ..", "hostPath:/data/..=x", /"\.\."/],
  ["a server that is known already", "nfs:10.0.0.1:/e={server}", /only \{server\}/],
  ["a server where there is none", "hostPath={server}", /only \{server\}/],
  ["a driver without a field", "csi:nfs.csi.k8s.io=nfs", /neither \{volumeHandle\} nor/],
  ["an unknown field", "csi:nfs.csi.k8s.io=nfs/{subdir}", /\{subdir\} is neither/],
  ["an open brace", "csi:nfs.csi.k8s.io=nfs/{attributes.subdir", /brace without/],
  ["no driver", "csi:={volumeHandle}", /no driver/],
];

for (const [title, text, words] of wrong)
  test(`a table with ${title} is refused, and the reason told`, () => {
    assert.throws(() => parsePathRules(text), words);
  });

test("a rule for a whole source needs no path, and a folder of . is the root", () => {
  assert.deepEqual(
    parsePathRules("nfs={server}/mounted hostPath=.").map((rule) => (rule.source === "csi" ? [] : rule.folder)),
    [["{server}", "mounted"], []],
  );
});
