import { expect, expectError } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";

/** Opening a VolumeSnapshotLocation. */
export const initTests: readonly ConformanceTest[] = [
  {
    kind: "VolumeSnapshotter",
    id: "volume-snapshotter/init/opens",
    title: "the location opens",
    rule: "volume-init-opens",
    run: async (t) => void (await t.openVolumeSnapshotter()),
  },
  {
    kind: "VolumeSnapshotter",
    id: "volume-snapshotter/init/refuses-an-unknown-key",
    title: "a key that nobody knows is refused and named",
    rule: "volume-init-refuses-wrong-config",
    run: async (t) => {
      const config = { conformanceUnknownKey: "x" };
      const error = await expectError(t.openVolumeSnapshotter({ config }), "Init with an unknown key");
      expect(error.message.includes("conformanceUnknownKey"), `the error does not name the key: ${error.message}`);
    },
  },
  {
    kind: "VolumeSnapshotter",
    id: "volume-snapshotter/init/refuses-wrong-values",
    title: "a config that cannot work is refused at once",
    rule: "volume-init-refuses-wrong-config",
    needs: ["invalid-configs"],
    run: async (t) => {
      const session = await t.start();
      for (const [name, config] of Object.entries(t.volumeTarget.invalid ?? {}))
        await expectError(t.openVolumeSnapshotter({ session, config }), `Init with ${name}`);
    },
  },
];
