import { serve } from "@flotilla/sdk/server";
import packageJson from "../package.json" with { type: "json" };
import { definitions } from "./definitions.ts";

await serve({ name: "flotilla-plugin-restic", version: packageJson.version, implementations: definitions });
