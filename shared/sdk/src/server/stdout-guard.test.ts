import assert from "node:assert/strict";
import { test } from "node:test";

import { fixtureName } from "../testing/fixture-path.ts";
import { FixtureProcess } from "../testing/fixture-process.ts";
import { velero } from "../wire/index.ts";

const { objectExists } = velero.ObjectStore.method;

/** A log line may arrive behind the answer of the call that it belongs to; nothing arrives behind the end. */
async function endOf(fixture: FixtureProcess): Promise<void> {
  fixture.child.kill("SIGKILL");
  await fixture.ended;
}

test("nothing that code writes reaches stdout; it becomes debug lines", async () => {
  await using fixture = new FixtureProcess({ args: ["--log-level", "debug"] });
  await fixture.initObjectStore({ bucket: "b", fault: "talks" });

  await fixture.call(objectExists, { plugin: fixtureName, bucket: "b", key: "k" });
  await endOf(fixture);

  assert.match(fixture.stdout, /^1\|2\|unix\|[^|\n]+\|grpc\|\n$/);
  const noise = fixture.logLines.filter((line) => line["stream"] !== undefined);
  assert.deepEqual(
    noise.map((line) => [line["@level"], String(line["@message"]).slice(0, 30)]),
    [
      ["debug", "noise by process.stdout.write"],
      ["debug", "x".repeat(30)],
      ["debug", "[ERROR] noise by process.stder"],
      ["debug", "noise by console.log"],
      ["debug", "noise by console.error"],
    ],
  );
});

test("without debug the noise is gone and what the logger said stays", async () => {
  await using fixture = new FixtureProcess();
  await fixture.initObjectStore({ bucket: "b", fault: "talks" });

  await fixture.call(objectExists, { plugin: fixtureName, bucket: "b", key: "k" });
  await endOf(fixture);

  const [line, ...others] = fixture.logLines;
  assert.deepEqual(others, []);
  assert.match(String(line?.["logSource"]), /^testing\/fixture-faults\.ts:\d+$/);
  assert.deepEqual(
    { ...line, logSource: "" },
    {
      "@level": "info",
      "@message": "said by the logger",
      bytes: "5",
      isTrue: "true",
      logSource: "",
      "@logSourceSetBy": "plugin",
    },
  );
});
