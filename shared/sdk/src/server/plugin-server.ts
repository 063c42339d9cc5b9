import type { Socket } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";

import type { Logger } from "../plugin/index.ts";
import type { CallBounds } from "./call-bounds.ts";
import { filesHandlers } from "./files-service.ts";
import { withWideWindows } from "./flow-control.ts";
import { goPluginHandlers } from "./go-plugin-services.ts";
import type { HostSignals } from "./go-plugin-services.ts";
import { addHandlers } from "./handlers.ts";
import { inspectionHandlers } from "./inspection-service.ts";
import { ObjectLocations } from "./object-locations.ts";
import { objectStoreHandlers } from "./object-store-service.ts";
import { pluginListerHandlers } from "./plugin-lister-service.ts";
import type { Registration } from "./registrations.ts";
import { snapshotCopiesHandlers } from "./snapshot-copies-service.ts";
import { SnapshotLocations } from "./snapshot-locations.ts";
import { volumeSnapshotterHandlers } from "./volume-snapshotter-service.ts";

/** What a plugin server is made of. */
export interface PluginServerOptions {
  readonly registrations: readonly Registration[];
  readonly command: string;
  readonly log: Logger;
  readonly bounds: CallBounds;
  readonly signals: HostSignals;
}

/** Every service of the executable on one gRPC server. Answers the function that takes the host's connections. */
export function createPluginServer(options: PluginServerOptions): (connection: Socket) => void {
  const { registrations, log, bounds } = options;
  const context = { log, bounds };
  const objects = new ObjectLocations(log);
  const snapshots = new SnapshotLocations(log);
  const server = new Server({
    // The host has no limits of its own worth speaking of: a list of all backups is one message.
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.enable_channelz": 0,
  });
  addHandlers(server, pluginListerHandlers(registrations, options.command, context));
  addHandlers(server, objectStoreHandlers(registrations, objects, context));
  addHandlers(server, volumeSnapshotterHandlers(registrations, snapshots, context));
  addHandlers(server, inspectionHandlers(objects, snapshots, context));
  addHandlers(server, snapshotCopiesHandlers(snapshots, context));
  addHandlers(server, filesHandlers(snapshots, context));
  for (const handlers of goPluginHandlers(options.signals, context)) addHandlers(server, handlers);
  const injector = withWideWindows(() => server.createConnectionInjector(ServerCredentials.createInsecure()));
  return (connection) => {
    injector.injectConnection(connection);
  };
}
