/** Where a disk or an operation is. */
export type Place =
  | { readonly kind: "zone"; readonly name: string }
  | { readonly kind: "region"; readonly name: string }
  | { readonly kind: "global" };

/** Where links begin that the API writes. */
const linkPrefix = "https://www.googleapis.com/compute/v1/";

/** Returns the part of a path that names a place: `zones/us-central1-a`, `global`. */
export function placePath(place: Place): string {
  return place.kind === "global" ? "global" : `${place.kind}s/${place.name}`;
}

/** Writes a path as the API links it. */
export function linkTo(path: string): string {
  return `${linkPrefix}${path}`;
}

/** Returns the region of a zone. */
export function regionOf(zone: string): string {
  return zone.replace(/-[a-z0-9]+$/, "");
}

/** Reads a link, or a part of one, and returns its path from `projects/` on; undefined where it is none. */
export function pathOf(link: string, project: string): string | undefined {
  const [, path] = /^(?:https?:\/\/[^/]+\/compute\/(?:v1|beta|alpha)\/)?(.+)$/.exec(link) ?? [];
  if (path === undefined) return undefined;
  if (/^(?:zones\/[^/]+|regions\/[^/]+|global)\//.test(path)) return `projects/${project}/${path}`;
  return /^projects\/[^/]+\/(?:zones\/[^/]+|regions\/[^/]+|global)(?:\/|$)/.test(path) ? path : undefined;
}
