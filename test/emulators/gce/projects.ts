import type { Handler } from "./call.ts";
import { diskTypesOf } from "./disk-types.ts";
import { notFound } from "./gce-error.ts";
import { linkTo, placePath, regionOf } from "./place.ts";
import { projectQuotas, regionQuotas } from "./quotas.ts";

/** projects.get, with the project's quotas. */
export const getProject: Handler = (call) => {
  const path = `projects/${call.project}`;
  call.permit("compute.projects.get", path);
  return {
    json: {
      kind: "compute#project",
      id: "123456789012",
      name: call.project,
      quotas: projectQuotas(call),
      selfLink: linkTo(path),
      defaultServiceAccount: "123456789012-compute@developer.gserviceaccount.com",
      xpnProjectStatus: "UNSPECIFIED_XPN_PROJECT_STATUS",
      defaultNetworkTier: "PREMIUM",
    },
  };
};

/** regions.get, with the region's quotas. */
export const getRegion: Handler = (call) => {
  const name = call.place.kind === "region" ? call.place.name : "";
  const path = `projects/${call.project}/regions/${name}`;
  call.permit("compute.regions.get", path);
  const zones = call.regions.zonesOf(name).map((zone) => linkTo(`projects/${call.project}/zones/${zone}`));
  const quotas = regionQuotas(call, name);
  return { json: { kind: "compute#region", name, status: "UP", zones, quotas, selfLink: linkTo(path) } };
};

/** zones.get. */
export const getZone: Handler = (call) => {
  const name = call.place.kind === "zone" ? call.place.name : "";
  const path = `projects/${call.project}/zones/${name}`;
  call.permit("compute.zones.get", path);
  const region = linkTo(`projects/${call.project}/regions/${regionOf(name)}`);
  return { json: { kind: "compute#zone", name, status: "UP", region, selfLink: linkTo(path) } };
};

/** diskTypes.get, regionDiskTypes.get. */
export const getDiskType: Handler = (call) => {
  const path = `projects/${call.project}/${placePath(call.place)}/diskTypes/${call.name}`;
  call.permit("compute.diskTypes.get", path);
  const type = diskTypesOf(call.place.kind === "region" ? "region" : "zone")[call.name];
  if (type === undefined || !call.regions.hasDiskType(call.place, call.name)) throw notFound(path);
  const validDiskSize = `${type.minGb}GB-${type.maxGb}GB`;
  return { json: { kind: "compute#diskType", name: call.name, validDiskSize, selfLink: linkTo(path) } };
};
