import type { PluginLogLine } from "@flotilla/host";

import type { Session } from "./workspace.ts";
import { until } from "./until.ts";

/** What a plugin's log says of single buckets. */
export interface BucketLog {
  /** The lines of one level that name the bucket, so far. */
  linesOf(bucket: string, level: PluginLogLine["level"]): readonly PluginLogLine[];
  /** The same once there is a line: it comes by another pipe than the answer, and may come behind it. */
  toldOf(bucket: string, level: PluginLogLine["level"]): Promise<readonly PluginLogLine[]>;
}

/** Looks into the log of a plugin process. */
export function bucketLog(session: Pick<Session, "lines">): BucketLog {
  const linesOf: BucketLog["linesOf"] = (bucket, level) =>
    session.lines.filter((line) => line.level === level && JSON.stringify(line).includes(bucket));
  return {
    linesOf,
    toldOf: async (bucket, level) => {
      await until(`the log says something of ${bucket}`, () => linesOf(bucket, level).length > 0);
      return linesOf(bucket, level);
    },
  };
}
