import { builtGcpPlugin } from "../../interop/paths.ts";
import { startGcp } from "../clouds/gcp.ts";
import { openStage } from "../stage.ts";
import { beginStory } from "../story.ts";
import { tellLostRegion } from "./lost-region.ts";

const stage = await openStage(builtGcpPlugin, startGcp);
tellLostRegion(beginStory(stage), stage);
