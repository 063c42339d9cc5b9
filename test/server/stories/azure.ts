import { builtAzurePlugin } from "../../interop/paths.ts";
import { startAzure } from "../clouds/azure.ts";
import { openStage } from "../stage.ts";
import { beginStory } from "../story.ts";
import { tellFailures, tellRefusedCredentials } from "./failures.ts";
import {
  tellDeletion,
  tellEmptyCluster,
  tellInstallation,
  tellLifeOfABackup,
  tellSignedUrls,
} from "./life-of-a-backup.ts";

const stage = await openStage(builtAzurePlugin, startAzure);
const story = beginStory(stage);
tellInstallation(story, stage);
tellLifeOfABackup(story, stage);
tellSignedUrls(story, stage);
tellFailures(story, stage);
tellRefusedCredentials(story, stage);
tellEmptyCluster(story, stage);
tellDeletion(story, stage);
