import { builtPlugin } from "../../interop/paths.ts";
import { startAws } from "../clouds/aws.ts";
import { openStage } from "../stage.ts";
import { beginStory } from "../story.ts";
import { tellCustomerKey } from "./customer-key.ts";
import { tellFailures, tellRefusedCredentials, tellSteadyState } from "./failures.ts";
import { tellInterchange, tellTrial } from "./interchange.ts";
import {
  tellDeletion,
  tellEmptyCluster,
  tellInstallation,
  tellLifeOfABackup,
  tellSignedUrls,
} from "./life-of-a-backup.ts";

const stage = await openStage(builtPlugin, startAws);
const story = beginStory(stage);
tellInstallation(story, stage);
tellLifeOfABackup(story, stage);
tellSignedUrls(story, stage);
tellFailures(story, stage);
tellRefusedCredentials(story, stage);
tellEmptyCluster(story, stage);
tellCustomerKey(story, stage);
tellSteadyState(story, stage, { minutes: 4 });
if (stage.cloud.official !== undefined) {
  tellInterchange(story, stage, stage.cloud.official);
  tellTrial(story, stage, stage.cloud.official);
}
tellDeletion(story, stage);
