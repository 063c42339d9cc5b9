import type { Cloud } from "../plugin-facts/plugin-facts.ts";
import type { ClusterDeployment } from "./read-resources.ts";

/** A plugin's init container. */
export interface PluginImage {
  readonly container: string;
  readonly image: string;
  readonly cloud: Cloud;
  readonly isOurs: boolean;
  /** Whether only the registry says so, in which there may be a mirror of the official images. */
  readonly isDoubtful: boolean;
}

const clouds: ReadonlyMap<string, Cloud> = new Map([
  ["aws", "aws"],
  ["gcp", "gcp"],
  ["microsoft-azure", "azure"],
  ["azure", "azure"],
  ["restic", "restic"],
]);

/**
 * The init containers that bring a plugin which is ours or that ours takes the place of. Ours are known by the name that
 * flotilla install gives the container, by the registry, or by a name that no official image has.
 */
export function pluginImages({ initContainers }: ClusterDeployment, registry: string): readonly PluginImage[] {
  return initContainers.flatMap(({ name, image }) => {
    const [, word = ""] = /\/?(?:velero|flotilla)-plugin(?:-for)?-([a-z-]+)(?=[:@]|$)/.exec(image) ?? [];
    const cloud = clouds.get(word);
    if (cloud === undefined) return [];
    const hasOurName = name.startsWith("flotilla-plugin-") || image.includes("flotilla-plugin-");
    const isNamedOurs = hasOurName || word === "azure" || word === "restic";
    // The official image for Azure has a name that none of ours has.
    const isInRegistry = image.startsWith(`${registry}/`) && word !== "microsoft-azure";
    const isOurs = isNamedOurs || isInRegistry;
    return [{ container: name, image, cloud, isOurs, isDoubtful: isOurs && !isNamedOurs }];
  });
}
