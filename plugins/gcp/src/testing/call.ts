import { silentLogger } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";

/** A call that nobody follows or ends. */
export const quietCall: Call = { log: silentLogger, signal: new AbortController().signal };
