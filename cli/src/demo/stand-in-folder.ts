import { join } from "node:path";

/** Where the programs of the stand-ins lie in a checkout. */
export const standInFolder = join(import.meta.dirname, "..", "..", "..", "test", "emulators");
