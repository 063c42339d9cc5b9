import { defineRules } from "./rule.ts";

/** How a plugin's process starts, speaks and ends. */
export const processRules = defineRules({
  "refuses-without-cookie": {
    text: "Without the magic cookie VELERO_PLUGIN=hello the executable says that it is a plugin, and exits with a code that is not zero.",
    origin: "go-plugin",
    source: "go-plugin server.go: Serve checks MagicCookieKey; pkg/plugin/framework/handshake.go",
    consequence: "A person who runs it by hand is left with a process that waits for ever.",
  },
  "handshake-line": {
    text: "The first line on stdout is `1|2|unix or tcp|ADDRESS|grpc|`, with nothing before it and no certificate in it.",
    origin: "go-plugin",
    source: "go-plugin client.go: Start reads the line; a sixth field over 50 characters is read as a certificate",
    consequence: 'The start fails: "Unrecognized remote plugin message", and with it the server or the backup.',
  },
  "accepts-at-once": {
    text: "The socket of the handshake accepts connections as soon as the line is printed.",
    origin: "go-plugin",
    source: "go-plugin grpc_client.go: dials with FailOnNonTempDialError",
    consequence: "The start fails now and then.",
  },
  "stdout-is-silent": {
    text: "Nothing but the handshake is ever written to stdout.",
    origin: "go-plugin",
    source: "go-plugin client.go: stdout is scanned by lines of at most 64 KiB",
    consequence: "After a longer line nobody reads the pipe any more, and the plugin blocks in its next write.",
  },
  "ignores-unknown-flags": {
    text: "Flags that the executable does not know are ignored, in every form.",
    origin: "Velero",
    source: "pkg/plugin/clientmgmt/process/client_builder.go: the plugin gets the server's own arguments",
    consequence: "A flag that the operator gives the server keeps the plugin from starting.",
  },
  "log-lines-parse": {
    text: "Every line on stderr is a flat JSON object with `@level` and `@message`.",
    origin: "go-plugin",
    source: "go-plugin client.go: logStderr; log_entry.go: parseJSON",
    consequence: "The server prints it at debug level, where nobody sees it.",
  },
  "log-fields-are-strings": {
    text: "Every field of a log line is a string.",
    origin: "Velero",
    source: "go-plugin log_entry.go and pkg/backup/backup.go: log hooks assert strings without a check",
    consequence: "A number in `@message`, `name`, `namespace` or `resource` crashes the server.",
  },
  "log-levels-are-known": {
    text: "`@level` is one of trace, debug, info, warn, error.",
    origin: "go-plugin",
    source: "go-hclog level.go: LevelFromString",
    consequence: 'A line at "warning" or "fatal" is printed at debug level, where nobody sees it.',
  },
  "quiet-when-all-is-well": {
    text: "Nothing is logged at warn or error while nothing is wrong.",
    origin: "Velero",
    source: "pkg/util/logging/log_counter_hook.go: lines at warn and error are counted",
    consequence: "Each warning is counted in the backup's warnings, each error makes it PartiallyFailed.",
  },
  "health-is-served": {
    text: "grpc.health.v1.Health answers SERVING for the service `plugin`.",
    origin: "go-plugin",
    source: "go-plugin grpc_client.go: Ping",
    consequence: "Hosts that ping take the plugin for dead; Velero's does not ping today.",
  },
  "go-plugin-streams-stay-open": {
    text: "The broker's and the stdio stream stay open and silent, or are not implemented.",
    origin: "go-plugin",
    source: "go-plugin grpc_broker.go, grpc_stdio.go; grpc-go closes idle connections after 30 minutes",
    consequence: "A backup that waits long loses its connection to the plugin.",
  },
  "takes-large-messages": {
    text: "Answers above gRPC's default limit of 4 MiB pass.",
    origin: "Velero",
    source:
      "pkg/plugin/framework/object_store_client.go: a listing is one message, however long; the client's limit is 2 GiB",
    consequence: "A location with many backups cannot be listed.",
  },
  "takes-large-requests": {
    text: "Requests above gRPC's default limit of 4 MiB pass.",
    origin: "ours",
    source: "go-plugin client.go: the host sends up to 2 GiB, and go-plugin's own server takes no more than 4 MiB",
    consequence: "Nothing today: the server's chunks have 16 KiB, and a PersistentVolume fits into etcd.",
  },
  "shutdown-is-prompt": {
    text: "After Shutdown the process ends within two seconds.",
    origin: "go-plugin",
    source: "go-plugin client.go: Kill waits two seconds, then kills and logs an error",
    consequence:
      "An error line in the backup's log makes it PartiallyFailed, and every action of the server takes two seconds more.",
  },
  "exits-with-zero": {
    text: "After Shutdown the exit code is zero.",
    origin: "go-plugin",
    source: "go-plugin client.go: any other code is logged at error",
    consequence: "An error line in the backup's log makes it PartiallyFailed.",
  },
  "removes-its-socket": {
    text: "A process that was told to end removes the socket that it listened on.",
    origin: "go-plugin",
    source: "go-plugin server.go: rmListener removes the file when the listener closes",
    consequence: "The server starts two processes a minute for ever, and each leaves a file in /tmp.",
  },
  "leaves-with-its-host": {
    text: "When the host is gone without a Shutdown, the process ends by itself.",
    origin: "ours",
    source: "go-plugin has no such promise: its plugins live on as orphans",
    consequence:
      "In the server's own container the kernel ends them with it. Anywhere else they stay, and an upload may stay half done.",
  },
  "survives-a-reset-connection": {
    text: "A client that vanishes in the middle of a call harms no other call.",
    origin: "ours",
    source: "calls of one process are shared by several controllers",
    consequence: "One broken call fails other backups.",
  },
  restarts: {
    text: "A process that replaces a crashed one works after the same Init.",
    origin: "Velero",
    source: "pkg/plugin/clientmgmt/process/restartable_process.go",
    consequence: "Every later call of the backup fails.",
  },
  "opens-several-times": {
    text: "Init may come several times for one name, and each location works afterwards.",
    origin: "Velero",
    source:
      "pkg/controller/backup_controller.go: locations of one provider share a process; requests carry no instance",
    consequence: "Objects go to, or are deleted from, the wrong location.",
  },
  "unknown-name-is-refused": {
    text: "A request for a name that is not registered is an error.",
    origin: "Velero",
    source: "pkg/plugin/framework/server_mux.go: GetHandler",
    consequence: "A misspelt provider reads or writes somewhere.",
  },
  "parallel-processes": {
    text: "Several processes of one executable run beside each other.",
    origin: "Velero",
    source: "pkg/plugin/clientmgmt/manager.go: one process for each controller action",
    consequence: "A validation every minute breaks running backups.",
  },
});
