import type { SecretKey } from "../location-file.ts";
import { secretKey } from "./install-settings.ts";
import type { InstallSettings } from "./install-settings.ts";
import { hasTwoSecrets, secretOf } from "./secrets.ts";

/** The Secret with the identity of the location that backups are copied to, where that names none. */
export const copySecretName = "flotilla-copy-credentials";

/** What a CronJob does. */
export type JobKind = "verify" | "volume-copy" | "backup-copy";

/** A Secret in the pod of a CronJob. */
export interface MountedSecret {
  /** The volume, and the folder at the root that it is mounted at. */
  readonly volume: string;
  readonly secret: SecretKey;
  /** The flag that takes its file; undefined where the location itself names the file. */
  readonly flag?: string;
}

/** The Secrets that a job reads from. */
export function mountedSecrets(settings: InstallSettings, kind: JobKind): readonly MountedSecret[] {
  switch (kind) {
    case "verify":
      return [...ownSecrets(settings), ...authority("ca", settings.store.caSecret, "--ca-cert")];
    case "volume-copy":
      return ownSecrets(settings).slice(-1);
    case "backup-copy":
      return [
        ...ownSecrets(settings)
          .slice(0, 1)
          .map((mounted) => ({ ...mounted, flag: "--from-credentials-file" })),
        ...authority("ca", settings.store.caSecret, "--from-ca-cert"),
        { volume: "copy-credentials", secret: copySecretOf(settings), flag: "--to-credentials-file" },
        ...authority("copy-ca", settings.copyTo?.location.caSecret, "--to-ca-cert"),
      ];
    default:
      return kind satisfies never;
  }
}

/** Where a mounted Secret's file is. */
export function fileOf({ volume, secret }: MountedSecret): string {
  return `/${volume}/${secret.key}`;
}

/** The Secret of the location that backups are copied to. */
export function copySecretOf({ copyTo }: InstallSettings): SecretKey {
  return copyTo?.location.secret ?? { name: copySecretName, key: secretKey };
}

/** The location's own, and last the one of its volumes: one flag takes the file of both, of two each names its own. */
export function ownSecrets(settings: InstallSettings): readonly MountedSecret[] {
  const [store, volumes] = [secretOf(settings, "store"), secretOf(settings, "volumes")];
  if (store === undefined) return [];
  if (volumes === undefined || !hasTwoSecrets(settings))
    return [{ volume: "credentials", secret: store, flag: "--credentials-file" }];
  return [
    { volume: "credentials", secret: store },
    { volume: "volume-credentials", secret: volumes },
  ];
}

function authority(volume: string, secret: SecretKey | undefined, flag: string): readonly MountedSecret[] {
  return secret === undefined ? [] : [{ volume, secret, flag }];
}
