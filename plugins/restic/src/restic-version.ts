import { PluginError } from "@flotilla/sdk/plugin";

/** A version of restic, and what depends on it. */
export interface ResticVersion {
  readonly text: string;
  /** `restore --sparse`, of 0.15. */
  readonly restoresHoles: boolean;
  /** `--retry-lock`, of 0.16. */
  readonly waitsForLocks: boolean;
  /** `restore` tells how far it is, since 0.16. */
  readonly tellsRestores: boolean;
  /** Snapshots tell how many bytes they hold, since 0.17. */
  readonly tellsSizes: boolean;
  /** `restore --exclude-xattr`, of 0.18. */
  readonly leavesOutAttributes: boolean;
}

/** Debian 12's, and the first whose repositories are compressed. */
const minimumVersion = "0.14.0";

/** Reads the answer of `restic version`. */
export function parseVersion(answer: string, path: string): ResticVersion {
  const match = /^restic (\d+)\.(\d+)\.(\d+)/m.exec(answer);
  if (match === null)
    throw new PluginError(`"${path}" does not answer as restic does; name the restic program by resticPath`, {
      kind: "invalid-config",
    });
  const [major = 0, minor = 0, patch = 0] = match.slice(1).map(Number);
  const text = `${major}.${minor}.${patch}`;
  const isAtLeast = (wantedMinor: number): boolean => major > 0 || minor >= wantedMinor;
  if (!isAtLeast(14))
    throw new PluginError(`"${path}" is restic ${text}; this plugin needs ${minimumVersion} or later`, {
      kind: "invalid-config",
    });
  return {
    text,
    restoresHoles: isAtLeast(15),
    waitsForLocks: isAtLeast(16),
    tellsRestores: isAtLeast(16),
    tellsSizes: isAtLeast(17),
    leavesOutAttributes: isAtLeast(18),
  };
}
