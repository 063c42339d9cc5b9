import { ownDomain } from "../plugin/index.ts";

/** The tag of a copy that names what it is a copy of, in the official plugin's form of ids. */
export const copyOfTag = `${ownDomain}/copy-of`;

/** The tag of a copy that names the region of its origin. */
export const copyFromTag = `${ownDomain}/copy-from`;

/** The tag by which the server marks what a backup made. */
export const backupTag = "velero.io/backup";
