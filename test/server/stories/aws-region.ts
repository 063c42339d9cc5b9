import { builtPlugin } from "../../interop/paths.ts";
import { startAws } from "../clouds/aws.ts";
import { openStage } from "../stage.ts";
import { beginStory } from "../story.ts";
import { tellLostRegion } from "./lost-region.ts";

const stage = await openStage(builtPlugin, startAws);
tellLostRegion(beginStory(stage), stage);
