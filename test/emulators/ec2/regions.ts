import { element, leaf } from "../xml.ts";
import { endDryRun } from "./call.ts";
import type { Handler } from "./call.ts";
import { Ec2Error } from "./ec2-error.ts";
import { applyFilters } from "./filters.ts";
import { zoneIdOf } from "./volumes.ts";

/** DescribeRegions. */
export const describeRegions: Handler = (call) => {
  endDryRun(call);
  const named = call.params.list("RegionName");
  const unknown = named.find((name) => !call.regionNames.includes(name));
  if (unknown !== undefined) throw new Ec2Error("InvalidParameterValue", `Invalid region name: ${unknown}`);
  const items = call.regionNames
    .filter((name) => named.length === 0 || named.includes(name))
    .map((name) =>
      element("item", [
        leaf("regionName", name),
        leaf("regionEndpoint", `ec2.${name}.amazonaws.com`),
        leaf("optInStatus", "opt-in-not-required"),
      ]),
    );
  return [element("regionInfo", items)];
};

/** DescribeAvailabilityZones. */
export const describeAvailabilityZones: Handler = (call) => {
  endDryRun(call);
  const { region, zones } = call.region;
  const all = zones.map((name, index) => ({ name, id: zoneIdOf(region, index) }));
  const names = call.params.list("ZoneName");
  const unknown = names.find((name) => !zones.includes(name));
  if (unknown !== undefined) throw new Ec2Error("InvalidParameterValue", `Invalid availability zone: [${unknown}]`);
  const found = applyFilters(
    call.params,
    all.filter(({ name }) => names.length === 0 || names.includes(name)),
    ({ name, id }) => ({ "zone-name": [name], "zone-id": [id], "region-name": [region], state: ["available"] }),
    () => ({}),
  );
  const items = found.map(({ name, id }) =>
    element("item", [
      leaf("zoneName", name),
      leaf("zoneState", "available"),
      leaf("regionName", region),
      leaf("zoneId", id),
      leaf("zoneType", "availability-zone"),
      element("messageSet", []),
    ]),
  );
  return [element("availabilityZoneInfo", items)];
};
