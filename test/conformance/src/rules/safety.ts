import { defineRules } from "./rule.ts";

/** What neither the protocol nor Velero asks for, and an operator at three in the morning does. */
export const safetyRules = defineRules({
  "wrong-bytes-never-pass": {
    text: "Bytes that were changed on their way from the store are never delivered as a good object.",
    origin: "ours",
    source: "velero issues 1072 and 7798; docs/guides/integrity.md",
    consequence: "A damaged backup is restored as if it were good.",
  },
  "wrong-bytes-are-never-stored": {
    text: "Bytes that were changed on their way to the store are never stored as a good object.",
    origin: "ours",
    source: "docs/guides/integrity.md; every object store takes a checksum with the bytes",
    consequence: "A damaged backup is kept as if it were good.",
  },
  "cut-downloads-end-well-or-fail": {
    text: "A download whose connection is cut is resumed or fails; it never ends early as if it were complete.",
    origin: "ours",
    source: "the body of an HTTP answer can end at any byte",
    consequence: "A truncated backup is restored as if it were whole.",
  },
  "cut-uploads-store-nothing": {
    text: "An upload whose connection is cut is repeated or fails, and a failed one leaves what was there before.",
    origin: "ours",
    source: "object stores promise it",
    consequence: "A truncated backup looks complete.",
  },
  "survives-storms": {
    text: "A store that refuses for a moment (500, 503, throttling) is asked again.",
    origin: "ours",
    source: "every cloud's documentation asks clients to retry these",
    consequence: "A backup of hours fails for one refused request.",
  },
  "broken-lists-are-errors": {
    text: "A listing that breaks between two pages is asked for again or an error; it is never answered in part.",
    origin: "Velero",
    source: "pkg/controller/backup_sync_controller.go: a backup that is not listed is removed from the cluster",
    consequence: "Backups disappear from the cluster, and a deleted backup leaves objects behind.",
  },
  "empty-answers-are-no-lists": {
    text: "An answer of status 200 without a document is no end of a listing.",
    origin: "ours",
    source: "gateways and captive portals answer so; every store's listing has a document",
    consequence: "Backups disappear from the cluster, and a deleted backup leaves objects behind.",
  },
  "unreachable-is-not-gone": {
    text: "A store that cannot be reached is an error within five minutes, in words that do not say that an object is gone.",
    origin: "Velero",
    source: "pkg/controller/backup_deletion_controller.go: isTarballNotFoundError looks for words in any error",
    consequence: "While the network is down the server deletes backups without their delete actions.",
  },
  "refusals-end": {
    text: "A store that refuses or cuts for good is an error within five minutes, and nothing is stored.",
    origin: "ours",
    source: "pkg/plugin/framework: calls have no deadline; a call that hangs stops a controller",
    consequence: "The backup stays InProgress for ever.",
  },
  "silence-ends": {
    text: "A store that accepts and then says nothing is an error within fifteen minutes.",
    origin: "ours",
    source: "pkg/plugin/framework: calls have no deadline; a call that hangs stops a controller",
    consequence: "The backup stays InProgress for ever.",
  },
  "volume-cuts-are-errors": {
    text: "A snapshot call that a broken network or a refusal keeps from its end is an error, never a success.",
    origin: "Velero",
    source:
      "pkg/backup/item_backupper.go: what CreateSnapshot answers is recorded; a deletion that succeeded is forgotten",
    consequence: "A volume without a snapshot looks backed up, or a snapshot leaks and costs.",
  },
  "slow-is-not-dead": {
    text: "A slow network makes a transfer slow, not failed.",
    origin: "ours",
    source: "deadlines may count lack of progress only",
    consequence: "Large backups fail over thin lines.",
  },
  "truncated-gzip-is-refused": {
    text: "A *.gz whose stream ends in the middle of its gzip structure is refused and not stored.",
    origin: "ours",
    source: "pkg/plugin/framework/object_store_client.go: the server half-closes also when its own reading failed",
    consequence: "A truncated backup looks complete.",
  },
  "gz-keys-take-other-content": {
    text: "Content under a *.gz that does not begin as gzip is stored as it is.",
    origin: "ours",
    source: "the official plugins take it; whoever wrote it meant no gzip, so nothing can be told from its end",
    consequence: "A file of another tool under the location cannot be stored.",
  },
  "killed-leaves-nothing": {
    text: "A process that is killed in the middle of a put leaves nothing visible, and what was there before stays.",
    origin: "ours",
    source: "the kernel kills for lack of memory without a warning",
    consequence: "A truncated backup looks complete.",
  },
  soak: {
    text: "Mixed work of many callers loses nothing, mixes nothing and lets the memory stay flat: in the last third of a process's life it lies at most 96 MiB above the middle third.",
    origin: "ours",
    source: "kopia's provider validation",
    consequence: "What works in a test fails in the third night.",
  },
});
