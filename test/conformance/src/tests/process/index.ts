import { clientTests } from "./clients.ts";
import { cookieTests } from "./cookie.ts";
import { flagTests } from "./flags.ts";
import { handshakeTests } from "./handshake.ts";
import { hostTests } from "./host.ts";
import { logTests } from "./log.ts";
import { messageTests } from "./messages.ts";
import { nameTests } from "./names.ts";
import { parallelTests } from "./parallel.ts";
import { restartTests } from "./restart.ts";
import { shutdownTests } from "./shutdown.ts";
import { streamTests } from "./streams.ts";
import type { ConformanceTest } from "../../test.ts";

/** Every test of this subject, in the order in which they run. */
export const processTests: readonly ConformanceTest[] = [
  ...cookieTests,
  ...handshakeTests,
  ...flagTests,
  ...streamTests,
  ...messageTests,
  ...clientTests,
  ...restartTests,
  ...nameTests,
  ...parallelTests,
  ...shutdownTests,
  ...hostTests,
  ...logTests,
];
