import { join } from "node:path";

/** All that executables are built for. */
export const platforms = ["linux-x64", "linux-arm64"] as const;

/** What an executable is built for. */
export type Platform = (typeof platforms)[number];

/** The platform of a command line, or this machine's. */
export function parsePlatform(text: string = `${process.platform}-${process.arch}`): Platform {
  const platform = platforms.find((candidate) => candidate === text);
  if (platform === undefined)
    throw new Error(`${text}: executables are built for ${platforms.join(" and ")}; use --platform`);
  return platform;
}

/** Whether this machine runs the platform's executables by itself. */
export function isNative(platform: Platform): boolean {
  return platform === `${process.platform}-${process.arch}`;
}

/** Where a plugin's executable for a platform is built. */
export function outputFolder(pluginFolder: string, platform: Platform): string {
  return isNative(platform) ? join(pluginFolder, "dist") : join(pluginFolder, "dist", platform);
}
