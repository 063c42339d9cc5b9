import { PluginError } from "@flotilla/sdk/plugin";
import type { PersistentVolume } from "@flotilla/sdk/plugin";
import {
  csiVolumeOf,
  hasSource,
  inTreeFieldOf,
  labelOf,
  withCsiVolumeHandle,
  withInTreeField,
} from "@flotilla/sdk/volumes";

const csiDriver = "ebs.csi.aws.com";
const inTreeSource = "awsElasticBlockStore";
const volumeIdPattern = /vol-.*/;

/** The EBS volume behind a PersistentVolume, or "" for one that is another driver's. */
export function readVolumeId(volume: PersistentVolume): string {
  if (hasSource(volume, "csi")) {
    const csi = csiVolumeOf(volume);
    return csi?.driver === csiDriver ? idIn(csi.volumeHandle) : "";
  }
  if (!hasSource(volume, inTreeSource)) return "";
  const volumeId = inTreeFieldOf(volume, inTreeSource, "volumeID") ?? "";
  if (volumeId === "")
    throw new PluginError(`read the volume's id: spec.${inTreeSource}.volumeID of the PersistentVolume is empty`, {
      kind: "invalid-argument",
    });
  return idIn(volumeId);
}

/** The PersistentVolume with another EBS volume behind it, in the form of the official plugin. */
export function writeVolumeId(volume: PersistentVolume, volumeId: string): PersistentVolume {
  if (hasSource(volume, "csi")) {
    const driver = csiVolumeOf(volume)?.driver;
    if (driver === csiDriver) return withCsiVolumeHandle(volume, volumeId);
    throw new PluginError(`write the volume's id: the CSI driver "${driver ?? ""}" is not ${csiDriver}`, {
      kind: "invalid-argument",
    });
  }
  if (!hasSource(volume, inTreeSource))
    throw new PluginError(`write the volume's id: the PersistentVolume has neither spec.csi nor spec.${inTreeSource}`, {
      kind: "invalid-argument",
    });
  const zone = labelOf(volume, "failure-domain.beta.kubernetes.io/zone") ?? "";
  return withInTreeField(volume, inTreeSource, "volumeID", zone === "" ? volumeId : `aws://${zone}/${volumeId}`);
}

function idIn(text: string): string {
  return volumeIdPattern.exec(text)?.[0] ?? "";
}
