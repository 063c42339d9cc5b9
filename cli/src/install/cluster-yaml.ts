import { stringify } from "yaml";

/**
 * YAML as a cluster reads it: kubectl and helm follow YAML 1.1, in which a bare `on`, `yes` or `1_000` is no text, and
 * would be refused where a location's keys are.
 */
export function clusterYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, compat: "yaml-1.1" });
}
