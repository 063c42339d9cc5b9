import { builtAzurePlugin } from "../../interop/paths.ts";
import { startAzure } from "../clouds/azure.ts";
import { openStage } from "../stage.ts";
import { beginStory } from "../story.ts";
import { tellLostRegion } from "./lost-region.ts";

const stage = await openStage(builtAzurePlugin, startAzure);
tellLostRegion(beginStory(stage), stage);
