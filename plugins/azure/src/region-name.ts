/** The name of a region as zones begin with it: "West Europe" is "westeurope". */
export function regionName(location: string): string {
  return location.replaceAll(" ", "").toLowerCase();
}
