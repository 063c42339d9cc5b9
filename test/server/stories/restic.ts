import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

import { builtResticPlugin } from "../../interop/paths.ts";
import { startRestic, withoutShippedRestic } from "../clouds/restic.ts";
import { openStage } from "../stage.ts";
import { beginStory } from "../story.ts";
import { tellRefusedCredentials } from "./failures.ts";
import { tellDeletion, tellEmptyCluster, tellInstallation, tellLifeOfABackup } from "./life-of-a-backup.ts";

// restic has no signed URLs.
const copy = await mkdtemp(join(tmpdir(), "flotilla-restic-"));
after(async () => await rm(copy, { recursive: true }));
const stage = await openStage(await withoutShippedRestic(copy, builtResticPlugin), startRestic);
const story = beginStory(stage);
tellInstallation(story, stage);
tellLifeOfABackup(story, stage);
tellRefusedCredentials(story, stage);
tellEmptyCluster(story, stage);
tellDeletion(story, stage);
