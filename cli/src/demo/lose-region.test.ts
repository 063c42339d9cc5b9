import assert from "node:assert/strict";
import { test } from "node:test";

import { openDiskSession } from "../testing/disk-session.ts";
import { Flotilla } from "../testing/flotilla.ts";
import { loseRegion } from "./lose-region.ts";

test("the demo fails where the region that it lost goes on answering", async (context) => {
  const session = openDiskSession(context, await Flotilla.prepare(), "none");
  const [store, volumes] = [await session.openStore(), await session.openRequiredVolumes()];
  const lose = async (): Promise<void> => await Promise.resolve();

  await assert.rejects(loseRegion({ lose, session, store, volumes }, undefined), /the lost region answers: as before/);
});

test("the demo fails where what was lost fails for another reason", async (context) => {
  const session = openDiskSession(context, await Flotilla.prepare(), "no-list");
  const [store, volumes] = [await session.openStore(), await session.openRequiredVolumes()];
  const lose = async (): Promise<void> => await Promise.resolve();

  await assert.rejects(
    loseRegion({ lose, session, store, volumes }, undefined),
    /the lost region answers: .*bucket is gone/,
  );
});
