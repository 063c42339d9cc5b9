import type { Registration } from "./registrations.ts";

/** Whether a host started this process: the server's magic cookie is set. */
export function hasMagicCookie(env: Readonly<Record<string, string | undefined>>): boolean {
  return env["VELERO_PLUGIN"] === "hello";
}

/** What a person reads who runs the executable by hand. */
export function handRunText(
  plugin: { readonly name: string; readonly version: string },
  registrations: readonly Registration[],
): string {
  return [
    `${plugin.name} ${plugin.version}`,
    "",
    "This executable is a Velero plugin: the Velero server starts it. It does nothing by itself. It registers:",
    ...registrations.map((registration) => `  ${registration.kind.padEnd(18)}${registration.name}`),
    "",
    "To install it into a cluster that runs Velero:",
    `  velero plugin add <image of ${plugin.name}>`,
    "or add that image as an init container of the velero deployment, with the volume `plugins` mounted at /target.",
    "",
    `Its image's init container runs: ${plugin.name} install /target`,
    "",
    "To drive it without a cluster, use the flotilla command: flotilla plugin list, flotilla check.",
    "",
  ].join("\n");
}
