import { defineRules } from "./rule.ts";

const framework = "pkg/plugin/framework/object_store_client.go";
const contract = "pkg/plugin/velero/object_store.go";

/** What the server's ObjectStore service is held to. */
export const objectStoreRules = defineRules({
  "init-refuses-unknown-keys": {
    text: "Init refuses a config with a key that the plugin does not know, and names it.",
    origin: "Velero",
    source: "pkg/plugin/framework/validation.go: ValidateObjectStoreConfigKeys",
    consequence: "A misspelt key is ignored, and the backup goes somewhere else than the operator thinks.",
  },
  "init-refuses-wrong-values": {
    text: "Init refuses a value of the wrong form and keys that exclude each other, and names a key that is at fault.",
    origin: "ours",
    source: `${contract}: Init answers an error where the config cannot be used; that the key is named is our demand`,
    consequence: "The location fails at its first backup, for a reason that the operator has to guess.",
  },
  "init-takes-server-keys": {
    text: "Init accepts `bucket`, `prefix` (empty too) and `caCert`, which the server adds by itself.",
    origin: "Velero",
    source:
      "pkg/persistence/object_store.go: the server adds them; pkg/plugin/framework/validation.go: they are always valid",
    consequence: "No location of this plugin ever becomes Available.",
  },
  "init-needs-a-bucket": {
    text: "A config without a bucket harms nobody: Init refuses it and says so, or the process goes on all the same.",
    origin: "ours",
    source: "the server always sends a bucket; a program that runs the plugin by hand may not",
    consequence: "A crash, counted as an error of a backup that ran beside it.",
  },
  "failed-init-harms-nobody": {
    text: "An Init that fails leaves the locations of the process as they were.",
    origin: "ours",
    source: "pkg/plugin/framework/common/server_mux.go: all Inits of a name meet in one process",
    consequence: "One wrong location stops the backups of the right ones.",
  },
  "later-init-wins": {
    text: "An Init with other keys for the same location takes effect.",
    origin: "Velero",
    source: "pkg/plugin/framework/common/server_mux.go: one instance a name, which every Init prepares anew",
    consequence: "Credentials that were replaced are used for as long as the process lives.",
  },
  "locations-side-by-side": {
    text: "Several locations of one process work side by side, each with its own keys, told apart by bucket and prefix.",
    origin: "ours",
    source: "requests carry only the name, the bucket and the key; official plugins keep the last Init alone",
    consequence: "A backup is written or deleted with another location's credentials.",
  },
  "call-before-init": {
    text: "A call before Init is an error, and the process goes on.",
    origin: "Velero",
    source: "pkg/plugin/framework/object_store_server.go: HandlePanic",
    consequence: "The process dies, and with it every other call that it served.",
  },
  "put-keeps-every-byte": {
    text: "An object is what was put, whatever its size and however its bytes were cut into messages.",
    origin: "Velero",
    source: framework,
    consequence: "The backup does not restore.",
  },
  "put-replaces": {
    text: "A put under an existing key replaces the object.",
    origin: "Velero",
    source: "pkg/persistence/object_store.go: velero-backup.json is written several times",
    consequence: "A backup stays InProgress for ever.",
  },
  "put-takes-the-first-names": {
    text: "Bucket and key are those of the first message; later ones need not repeat them.",
    origin: "Velero",
    source: "pkg/plugin/framework/object_store_server.go: firstChunk",
    consequence: "None with this server, which repeats them; other hosts may not.",
  },
  "put-keeps-gzip": {
    text: "A gzip file is stored and served as it is, and never unpacked on the way.",
    origin: "Velero",
    source: "pkg/persistence/object_store.go: every object but velero-backup.json is gzip, and is read as such",
    consequence: 'Restores and the CLI fail with "gzip: invalid header".',
  },
  "put-of-nothing-stores-nothing": {
    text: "A put without any message is an error and stores nothing: the request names no object.",
    origin: "Velero",
    source: `${framework}: an empty body is half-closed at once`,
    consequence: "An object without a name, or a crash.",
  },
  "put-reports-its-reason": {
    text: "A put that fails reads the stream to its end before it answers, so that its reason arrives.",
    origin: "ours",
    source: `${framework}: Send returns io.EOF when the answer came early, and the reason is lost`,
    consequence: 'The server reports "rpc error: code = Unknown desc = EOF" and nothing else.',
  },
  "cancelled-put-stores-nothing": {
    text: "A put whose stream is reset stores nothing, and leaves what was there before.",
    origin: "Velero",
    source: "gRPC: a cancelled stream is not a complete one",
    consequence: "A truncated backup looks complete.",
  },
  "put-is-atomic": {
    text: "A reader gets the former object or the new one, whole; a get of a large one that is replaced meanwhile may fail, but never mixes them.",
    origin: "ours",
    source: "object stores promise it; velero-backup.json is read while it is written",
    consequence: "A synchronising server reads half a backup.",
  },
  "concurrent-calls": {
    text: "Puts, gets and lists of one process run at the same time without mixing.",
    origin: "Velero",
    source: "pkg/controller: backups, syncs and downloads run concurrently",
    consequence: "One backup's bytes end up in another.",
  },
  "get-missing-says-gone": {
    text: "A get of a missing object fails with one of the words by which the server knows that it is gone.",
    origin: "Velero",
    source: "pkg/controller/backup_deletion_controller.go: isTarballNotFoundError",
    consequence: "A backup whose tarball is gone can never be deleted.",
  },
  "failures-do-not-say-gone": {
    text: "No other failure contains those words.",
    origin: "Velero",
    source: "pkg/controller/backup_deletion_controller.go: isTarballNotFoundError",
    consequence:
      "The server takes a denied or misconfigured location for a missing tarball and deletes the backup without its delete actions.",
  },
  "other-failures-do-not-say-gone": {
    text: "No failure of another call contains those words either.",
    origin: "ours",
    source: "the server looks for them in a failed GetObject only; today's version does",
    consequence:
      "A person who reads the message looks for a missing object where permissions or the location are wrong.",
  },
  "refused-is-an-error": {
    text: "A call that the store refuses for its credentials is an error, never an empty answer.",
    origin: "Velero",
    source: `${contract}; pkg/controller/backup_storage_location_controller.go: a location is validated by listing it`,
    consequence: "A location that cannot work is shown as Available, or backups seem to be gone.",
  },
  "get-waits-for-its-reader": {
    text: "A slow reader gets the whole object.",
    origin: "Velero",
    source: "pkg/controller/restore_controller.go: the tarball is copied to a disk at the disk's speed",
    consequence: "Restores onto slow disks fail.",
  },
  "cancelled-get-harms-nobody": {
    text: "A reader that cancels its get ends that call and nothing else.",
    origin: "ours",
    source: "gRPC: a cancelled stream ends its call; this server never cancels one, other hosts do",
    consequence: "Connections to the store and memory leak until nothing works.",
  },
  "abandoned-get-harms-nobody": {
    text: "A reader that stops reading neither blocks other calls nor fills the memory.",
    origin: "Velero",
    source: "pkg/plugin/framework/stream_reader.go: Close does not cancel the stream",
    consequence: "The pod runs out of memory.",
  },
  "exists-tells-the-truth": {
    text: "ObjectExists is true for an object, false for an absent one and an error for everything else.",
    origin: "Velero",
    source: `${contract}; pkg/persistence/object_store.go: tryGet`,
    consequence: "A backup without its metadata, or one that is never synchronised.",
  },
  "prefixes-are-whole": {
    text: "ListCommonPrefixes answers whole prefixes, each once, that end with the delimiter, and no keys.",
    origin: "Velero",
    source: `${contract}; pkg/persistence/object_store.go: ListBackups trims prefix and delimiter`,
    consequence: "Backups are not found, or the location is declared invalid for a strange top-level directory.",
  },
  "delimiter-is-any": {
    text: "ListCommonPrefixes takes the delimiter of the request, whatever it is.",
    origin: "ours",
    source: `${contract}: "the provided delimiter"; this server only ever provides "/"`,
    consequence: "None with this server.",
  },
  "exists-needs-its-bucket": {
    text: "ObjectExists in a missing bucket is an error, not false.",
    origin: "ours",
    source: "S3 answers a HEAD in both cases alike, so that a second request must tell them apart",
    consequence: "A location whose bucket was removed looks like one whose backups lack their parts.",
  },
  "missing-bucket-is-an-error": {
    text: "Puts, gets, lists and deletes against a missing bucket are errors.",
    origin: "Velero",
    source: "pkg/controller/backup_storage_location_controller.go: a location is validated by listing it",
    consequence: "A location that cannot work is shown as Available.",
  },
  "list-is-complete": {
    text: "ListObjects answers every key below the prefix, whole, and no other, however many there are.",
    origin: "Velero",
    source: `${contract}; pkg/persistence/object_store.go: DeleteBackup`,
    consequence: "Parts of deleted backups stay for ever, or objects of another backup are deleted.",
  },
  "listings-go-beyond-a-page": {
    text: "Keys and common prefixes are listed to the end, over all the pages of the store.",
    origin: "Velero",
    source: `${contract}; the answer of the protocol has no pages`,
    consequence: "Old backups vanish from the cluster, and parts of deleted ones stay for ever.",
  },
  "list-is-deletable-in-order": {
    text: "ListObjects answers a key before every key that is a prefix of it, so that folder markers go last.",
    origin: "Velero",
    source: "velero-plugin-for-aws object_store.go: keys are sorted in reverse; velero issue 999",
    consequence: "Deleting a backup fails on stores with folder objects.",
  },
  "delete-removes": {
    text: "A deleted object is gone, and nothing else is.",
    origin: "Velero",
    source: contract,
    consequence: "Backups come back with the next synchronisation.",
  },
  "delete-twice": {
    text: "Deleting an object that is gone succeeds.",
    origin: "ours",
    source: "velero-plugin-for-aws succeeds, for-gcp and for-microsoft-azure fail",
    consequence: "A deletion that was interrupted can never be completed.",
  },
  "signed-url-works": {
    text: "A signed URL serves the object to a plain HTTP GET without further headers.",
    origin: "Velero",
    source: "pkg/cmd/util/downloadrequest/downloadrequest.go: the CLI sends a plain GET",
    consequence: "velero backup logs, describe --details and download fail.",
  },
  "signed-url-opens-one-object": {
    text: "A signed URL serves its own object to a GET: not another, and no write.",
    origin: "ours",
    source: "pkg/controller/download_request_controller.go: whoever may create a DownloadRequest gets the URL",
    consequence: "A URL that was handed out for a log opens the whole backup, or lets it be replaced.",
  },
  "signed-url-expires": {
    text: "A signed URL is refused after its time to live, which is in nanoseconds.",
    origin: "Velero",
    source: "pkg/persistence/object_store.go: DownloadURLTTL is ten minutes",
    consequence: "A URL that leaked opens the backup for ever, or is dead before it is used.",
  },
  "odd-keys": {
    text: "A key may hold spaces, plus and percent signs, Unicode and many characters, and comes back as it was.",
    origin: "Velero",
    source: "backup names are DNS names, but prefixes are the operator's",
    consequence: "Objects are stored under other names than those that are asked for.",
  },
  "odd-keys-too-long": {
    text: "A key that the store cannot hold is an error, never cut short, and the process goes on.",
    origin: "ours",
    source: "every store limits the length of a key: S3, Cloud Storage and Azure Blob Storage at 1,024",
    consequence: "A backup is stored under a name that nobody asks for, or the process dies with every other call.",
  },
  "memory-is-bounded": {
    text: "Memory does not grow with the size of the object.",
    origin: "Velero",
    source: "velero install: 512 MiB are shared by the server and every plugin; issues 3234, 6847, 7925",
    consequence: "The pod is killed in the middle of a large backup.",
  },
});
