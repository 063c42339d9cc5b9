/** Whether a version of the server can be used with the plugins. */
export interface VeleroSupport {
  readonly version: string;
  readonly state: "tested" | "expected" | "unsupported" | "newer";
  readonly remedy: string;
}

// As docs/support.md says.
const tested = { from: [1, 16], to: [1, 18] } as const;
const oldest = [1, 12] as const;

/** What is known of a version such as `v1.18.3`, or of an image's tag; undefined where there is none to be read. */
export function veleroSupport(text: string): VeleroSupport | undefined {
  // The whole text, or what follows an image's last colon: a registry may have an address of numbers, too.
  const form = /(?:^|:)(?=v?(\d+)\.(\d+))(v?\d+\.\d+(?:\.\d+)?(?:-[\w.]+)?)(?:@sha256:\w+)?$/;
  const [, major, minor, version = ""] = form.exec(text) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  const given = [Number(major), Number(minor)] as const;
  if (isBefore(given, oldest))
    return { version, state: "unsupported", remedy: `upgrade the server to ${name(tested.from)} or newer` };
  if (isBefore(given, tested.from))
    return { version, state: "expected", remedy: `not tested with it; ${name(tested.from)} to ${name(tested.to)} are` };
  if (isBefore(tested.to, given))
    return { version, state: "newer", remedy: `newer than what was tested; look for a newer version of the plugin` };
  return { version, state: "tested", remedy: "" };
}

function isBefore(
  [major, minor]: readonly [number, number],
  [otherMajor, otherMinor]: readonly [number, number],
): boolean {
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

function name([major, minor]: readonly [number, number]): string {
  return `${major}.${minor}`;
}
