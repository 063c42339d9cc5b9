import { homedir } from "node:os";

/**
 * The home folder of a process that has neither HOME nor a passwd entry, as under an arbitrary user id on OpenShift;
 * undefined where there is one. Clouds' SDKs look for their files below it and throw where it cannot be told. The answer
 * is that of container runtimes.
 */
export function missingHomeFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (env["HOME"] !== undefined) return undefined;
  try {
    homedir();
    return undefined;
  } catch {
    return "/";
  }
}
