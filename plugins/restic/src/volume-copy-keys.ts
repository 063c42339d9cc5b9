import { custom, duration, oneOf, parseSecretReference, text } from "@flotilla/sdk/plugin";

import { parseRepository } from "./repository-location.ts";

/** What a VolumeSnapshotLocation says of the repository that its snapshots are copied to. */
export const copyToKeys = {
  copyToRepository: custom(
    "A second repository, which gets a copy of each snapshot. Opened as a location of its own, it restores by the same ids.",
    "restic repository",
    parseRepository,
    { origin: "ours" },
  ),
  copyToPasswordFile: text("File that holds the second repository's password.", {
    defaultText: "the location's own password",
    origin: "ours",
  }),
  copyToPasswordSecret: custom(
    "Secret in the server's namespace that holds the second repository's password.",
    "secret/key",
    parseSecretReference,
    { origin: "ours" },
  ),
  copyToPasswordCommand: text("Command that prints the second repository's password; restic runs it.", {
    origin: "ours",
  }),
  copyToCredentialsFile: text(
    "File with what the second repository's store wants, in the forms of the location's own; a line RESTIC_PASSWORD=… is the second repository's password.",
    { defaultText: "what the location's own store gets", origin: "ours" },
  ),
  wait: oneOf("`completed` waits until a snapshot is in the second repository, too.", ["none", "completed"], {
    fallback: "none",
    origin: "ours",
  }),
  waitTimeout: duration("How long to wait; a snapshot that is not copied by then is deleted.", {
    fallback: 4 * 3_600_000,
    defaultText: "4h",
    origin: "ours",
  }),
} as const;

/** The keys of which one at most says what the second repository's password is. */
export const copyToPasswordKeys = ["copyToPasswordFile", "copyToPasswordSecret", "copyToPasswordCommand"] as const;
