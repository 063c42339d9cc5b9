import { velero } from "@flotilla/sdk/wire";

import { expect, expectError } from "../../expect.ts";
import { callUnary } from "../../plugin/call-unary.ts";
import type { ConformanceTest } from "../../test.ts";

const unknownName = "conformance.example.com/nobody";

/** Names that nobody registered. */
export const nameTests: readonly ConformanceTest[] = [
  {
    id: "process/names/unknown-name",
    title: "Init and calls of a name that is not registered are errors, and the process goes on",
    rule: "unknown-name-is-refused",
    kind: "ObjectStore",
    run: async (t) => {
      const { session, bucket, config } = await t.openObjectStore();
      const { init, objectExists } = velero.ObjectStore.method;

      await expectError(callUnary(session, init, { plugin: unknownName, config }), `Init of ${unknownName}`);
      const request = { plugin: unknownName, bucket, key: t.key("absent") };
      await expectError(callUnary(session, objectExists, request), `ObjectExists of ${unknownName}`);

      expect((await session.listPlugins()).length > 0, "it lists nothing any more");
    },
  },
  {
    id: "process/names/unknown-snapshotter",
    title: "Init of a volume snapshotter that is not registered is an error",
    rule: "unknown-name-is-refused",
    kind: "VolumeSnapshotter",
    run: async (t) => {
      const session = await t.start();
      const { init } = velero.VolumeSnapshotter.method;
      const request = { plugin: unknownName, config: { ...t.volumeTarget.config } };

      await expectError(callUnary(session, init, request), `Init of ${unknownName}`);
    },
  },
];
