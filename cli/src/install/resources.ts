import type { Cloud } from "../plugin-facts/plugin-facts.ts";
import type { InstallSettings } from "./install-settings.ts";

const mebibyte = 1024 ** 2;

/** Of one plugin process, in MiB, as measured on Linux x64: after Init, and at the peak of a put and a get of 256 MiB. */
interface MeasuredMemory {
  readonly idle: number;
  readonly peak: number;
}

const measured: Readonly<Record<Cloud, MeasuredMemory>> = {
  aws: { idle: 70, peak: 150 },
  azure: { idle: 96, peak: 192 },
  gcp: { idle: 67, peak: 170 },
  // With restic itself, which takes up to 130 MiB, beside the plugin.
  restic: { idle: 70, peak: 280 },
};

// What the server's own installation asks for, without a word on plugins.
const server = { requestMi: 128, limitMi: 512 };
// Beside a backup the server validates its locations, looks for new backups and removes expired ones.
const processesAtOnce = { usually: 2, atMost: 3 };
// The default of the key memoryLimit, with which the peak was measured.
const measuredWithMi = 64;

/** A container's resources. */
export interface Resources {
  readonly requests: { readonly cpu: string; readonly memory: string };
  readonly limits: { readonly cpu?: string; readonly memory: string };
}

/** What the server's pod needs with this plugin's processes in it. */
export function serverResources(settings: InstallSettings): Resources {
  const { idle } = measured[settings.cloud];
  return {
    requests: { cpu: "500m", memory: inSteps(server.requestMi + processesAtOnce.usually * idle) },
    limits: { cpu: "1000m", memory: `${serverLimitMi(settings.cloud, settings.store.config["memoryLimit"])}Mi` },
  };
}

/** The memory limit, in MiB, of a server with the plugin of a location whose key `memoryLimit` this is. */
export function serverLimitMi(cloud: Cloud, memoryLimit: string | undefined): number {
  return inStepsMi(server.limitMi + processesAtOnce.atMost * peakOf(cloud, memoryLimit));
}

/** What a CronJob needs: the command line, and one process of each plugin. */
export function jobResources(settings: InstallSettings): Resources {
  const commandMi = 96;
  const peak = peakOf(settings.cloud, settings.store.config["memoryLimit"]);
  const peaks = [peak, ...(settings.copyTo === undefined ? [] : [measured[settings.copyTo.cloud].peak])];
  const memory = commandMi + peaks.reduce((sum, peak) => sum + peak, 0);
  return { requests: { cpu: "100m", memory: inSteps(memory) }, limits: { memory: inSteps(memory * 2) } };
}

function peakOf(cloud: Cloud, memoryLimit: string | undefined): number {
  return measured[cloud].peak + Math.max(0, (mebibytes(memoryLimit) ?? measuredWithMi) - measuredWithMi);
}

/** An amount of memory as Kubernetes and the key `memoryLimit` write it; undefined for none, and for any other form. */
export function mebibytes(quantity: string | undefined): number | undefined {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([KMGT]i|[kMGT])?$/.exec(quantity ?? "") ?? [];
  if (digits === undefined) return undefined;
  const [binary, decimal] = [
    { Ki: 1024, Mi: mebibyte, Gi: 1024 ** 3, Ti: 1024 ** 4 },
    { k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ];
  const factors: Readonly<Record<string, number>> = { ...binary, ...decimal };
  return Math.ceil((Number(digits) * (factors[unit] ?? 1)) / mebibyte);
}

function inSteps(amountMi: number): string {
  return `${inStepsMi(amountMi)}Mi`;
}

function inStepsMi(amountMi: number): number {
  const step = 64;
  return Math.ceil(amountMi / step) * step;
}
