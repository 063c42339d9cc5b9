import { fileURLToPath } from "node:url";
import { join } from "node:path";

/** The checkout. */
export const rootDir = fileURLToPath(new URL("../..", import.meta.url));

/** Where everything that a run installs or writes goes; git ignores it. */
export const cacheDir = join(rootDir, ".cache", "interop");

/** The Go module of this folder. */
export const goModuleDir = fileURLToPath(new URL(".", import.meta.url));

/** Our plugin for AWS, as the build leaves it. */
export const builtPlugin = join(rootDir, "plugins", "aws", "dist", "flotilla-plugin-aws");

/** Our plugin for Google Cloud, as the build leaves it. */
export const builtGcpPlugin = join(rootDir, "plugins", "gcp", "dist", "flotilla-plugin-gcp");

/** Our plugin for restic, as the build leaves it. */
export const builtResticPlugin = join(rootDir, "plugins", "restic", "dist", "flotilla-plugin-restic");

/** Our plugin for Azure, as the build leaves it. */
export const builtAzurePlugin = join(rootDir, "plugins", "azure", "dist", "flotilla-plugin-azure");
