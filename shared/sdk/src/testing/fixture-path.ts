import { fileURLToPath } from "node:url";

/** The fixture plugin's program: executable where `node` on PATH runs TypeScript. */
export const fixturePath = fileURLToPath(new URL("fixture-plugin.ts", import.meta.url));

/** The name under which the fixture plugin registers an ObjectStore and a VolumeSnapshotter. */
export const fixtureName = "velero.io/fixture";
