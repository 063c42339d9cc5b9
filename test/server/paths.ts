import { join } from "node:path";

import { rootDir } from "../interop/paths.ts";

/** Where everything that a run builds or writes goes; git ignores it. */
export const cacheDir: string = join(rootDir, ".cache", "server");

/** The Go module that brings a cluster's own programs. */
export const clusterModule: string = join(import.meta.dirname, "cluster");

/** The Go module that brings Velero. */
export const veleroModule: string = join(import.meta.dirname, "velero");
