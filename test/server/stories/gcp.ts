import { builtGcpPlugin } from "../../interop/paths.ts";
import { startGcp } from "../clouds/gcp.ts";
import { openStage } from "../stage.ts";
import { beginStory } from "../story.ts";
import { tellFailures, tellRefusedCredentials } from "./failures.ts";
import { tellInterchange, tellTrial } from "./interchange.ts";
import {
  tellDeletion,
  tellEmptyCluster,
  tellInstallation,
  tellLifeOfABackup,
  tellSignedUrls,
} from "./life-of-a-backup.ts";

const stage = await openStage(builtGcpPlugin, startGcp);
const story = beginStory(stage);
tellInstallation(story, stage);
tellLifeOfABackup(story, stage);
tellSignedUrls(story, stage);
tellFailures(story, stage);
tellRefusedCredentials(story, stage);
tellEmptyCluster(story, stage);
if (stage.cloud.official !== undefined) {
  tellInterchange(story, stage, stage.cloud.official);
  tellTrial(story, stage, stage.cloud.official);
}
tellDeletion(story, stage);
