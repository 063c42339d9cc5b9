import { veleroSupport } from "../preflight/velero-versions.ts";
import { planLocation } from "./plan-location.ts";
import { planMemory } from "./plan-memory.ts";
import { pluginImages } from "./plugin-images.ts";
import type { PluginImage } from "./plugin-images.ts";
import type { ClusterDeployment, ClusterLocation, ClusterResources } from "./read-resources.ts";

/** The plugin that shall be there afterwards. */
export type Direction = "flotilla" | "official";

/**
 * One thing of a change from one plugin to the other: `first` before the image changes, `change` with it; `stays` needs
 * nothing; `advice` is worth knowing; `lost` cannot be had afterwards.
 */
export interface Step {
  readonly action: "first" | "change" | "stays" | "advice" | "lost";
  readonly resource: string;
  readonly what: string;
  readonly why: string;
}

/** In the order in which they are read. */
const actions: readonly Step["action"][] = ["lost", "first", "change", "advice", "stays"];

/** What is to be done, and what need not be. */
export function planChange(
  { locations, deployments }: ClusterResources,
  { to, registry, image }: { readonly to: Direction; readonly registry: string; readonly image: string | undefined },
): readonly Step[] {
  const steps = [
    ...locations.flatMap((location) => planLocation(location, to)),
    ...deployments.flatMap((deployment) => planDeployment(deployment, locations, { to, registry, image })),
    ...whatStays(to),
  ];
  return steps.toSorted((a, b) => actions.indexOf(a.action) - actions.indexOf(b.action));
}

function planDeployment(
  deployment: ClusterDeployment,
  locations: readonly ClusterLocation[],
  { to, registry, image }: { readonly to: Direction; readonly registry: string; readonly image: string | undefined },
): readonly Step[] {
  const resource = `Deployment ${deployment.name}`;
  const plugins = pluginImages(deployment, registry);
  const steps = plugins.flatMap((plugin) => planImage(plugin, deployment, { to, registry, image }));
  const server = deployment.images.map(veleroSupport).find((support) => support !== undefined);
  return [
    ...steps,
    ...(plugins.length === 0
      ? [{ action: "advice", resource, what: "no plugin's init container", why: "nothing to change there" } as const]
      : []),
    ...(to === "flotilla" ? planMemory(deployment, locations).map((step) => ({ ...step, resource })) : []),
    ...(to === "flotilla" && server?.state === "unsupported"
      ? [{ action: "first", resource, what: `Velero ${server.version}`, why: server.remedy } as const]
      : []),
    ...(deployment.variables.includes("FLOTILLA_ALIAS")
      ? [
          {
            action: "advice",
            resource,
            what: "FLOTILLA_ALIAS is set",
            why: "it is for a trial beside the official plugin: remove it with the trial",
          } as const,
        ]
      : []),
  ];
}

const officialImages = {
  aws: "velero/velero-plugin-for-aws",
  azure: "velero/velero-plugin-for-microsoft-azure",
  gcp: "velero/velero-plugin-for-gcp",
} as const;

function planImage(
  plugin: PluginImage,
  deployment: ClusterDeployment,
  { to, registry, image }: { readonly to: Direction; readonly registry: string; readonly image: string | undefined },
): readonly Step[] {
  const { cloud, container } = plugin;
  const resource = `Deployment ${deployment.name}`;
  const what = `init container ${container}: ${plugin.image}`;
  if (cloud === "restic") {
    return to === "flotilla"
      ? [{ action: "stays", resource, what, why: "it is this project's already" }]
      : [
          {
            action: "lost",
            resource,
            what,
            why: "no official plugin reads these backups: keep the image as long as them",
          },
        ];
  }
  if (plugin.isDoubtful && to === "flotilla") {
    const why =
      "it is in this project's registry; make sure that it is no copy of the official image, which is named alike";
    return [{ action: "advice", resource, what, why }];
  }
  if (to === "official" && !plugin.isOurs && !isOfficial(plugin.image, cloud)) {
    const why = `if it is this project's, name its registry by --registry to see the change; if it is a copy of the official image, it stays`;
    return [{ action: "advice", resource, what, why }];
  }
  if (plugin.isOurs === (to === "flotilla"))
    return [{ action: "stays", resource, what, why: "it is the wanted one already" }];
  const wanted =
    to === "flotilla" ? (image ?? `${registry}/velero-plugin-for-${cloud}:TAG`) : `${officialImages[cloud]}:TAG`;
  const command = `kubectl set image deployment/${deployment.name} --namespace ${deployment.namespace} ${container}=${wanted}`;
  const why = `in one edit, since the server does not start with two plugins of one name: ${command}`;
  return [{ action: "change", resource, what: `${what} becomes ${wanted}`, why }];
}

/** Whether an image is the official one, from where it is published. */
function isOfficial(image: string, cloud: keyof typeof officialImages): boolean {
  return image.replace(/^docker\.io\//, "").replace(/[:@].*$/, "") === officialImages[cloud];
}

function whatStays(to: Direction): readonly Step[] {
  const resource = "what is stored";
  const other = to === "flotilla" ? "the official plugin" : "this project's plugin";
  return [
    { action: "stays", resource, what: "backups and their objects", why: `those of ${other} are read as they are` },
    { action: "stays", resource, what: "native snapshots", why: "ids are written in one form by both" },
    { action: "stays", resource, what: "schedules, credentials, Secrets", why: "both read them alike" },
    to === "flotilla"
      ? {
          action: "advice",
          resource,
          what: "objects without a checksum",
          why: "what the official plugin wrote without one is served unverified; flotilla backup verify counts it",
        }
      : {
          action: "advice",
          resource,
          what: "checksums, and marks on snapshots",
          why: "they stay and do no harm; the official plugin looks at neither",
        },
  ];
}
