import { randomBytes } from "node:crypto";

import {
  DisksClient,
  GlobalOperationsClient,
  ProjectsClient,
  RegionDisksClient,
  RegionOperationsClient,
  SnapshotsClient,
  ZoneOperationsClient,
} from "@google-cloud/compute";
import { OAuth2Client } from "google-auth-library";

/** The service that is probed. */
export interface GceTarget {
  readonly endpoint: string;
  readonly project: string;
  /** Of a principal that may do everything. */
  readonly token: string;
  readonly region: string;
  readonly zones: readonly [string, string];
  readonly otherZone: string;
  /** A key of Cloud KMS that may be used. */
  readonly kmsKey: string;
}

/** What the API wrote. */
export type Json = Readonly<Record<string, unknown>>;

/** How an operation went. */
export interface Outcome {
  readonly error?: unknown;
  readonly status?: unknown;
}

/** An answer, as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly body: Json;
}

type ClientOptions = NonNullable<ConstructorParameters<typeof DisksClient>[0]>;

/** What a probe works with: Google's clients by REST, and plain requests. */
export class GceContext {
  readonly target: GceTarget;
  readonly #opened: { close(): Promise<void> }[] = [];
  readonly #options: ClientOptions;

  constructor(target: GceTarget) {
    this.target = target;
    const { hostname, port } = new URL(target.endpoint);
    const authClient = new OAuth2Client();
    authClient.setCredentials({ access_token: target.token });
    this.#options = {
      fallback: true as const,
      protocol: "http",
      apiEndpoint: hostname,
      port: Number(port),
      authClient,
      projectId: target.project,
    };
  }

  // A client is slow to make, and many tests need none of them.
  readonly disks = lazy(() => this.#open(new DisksClient(this.#options)));
  readonly regionDisks = lazy(() => this.#open(new RegionDisksClient(this.#options)));
  readonly snapshots = lazy(() => this.#open(new SnapshotsClient(this.#options)));
  readonly projects = lazy(() => this.#open(new ProjectsClient(this.#options)));
  readonly #zoneOperations = lazy(() => this.#open(new ZoneOperationsClient(this.#options)));
  readonly #regionOperations = lazy(() => this.#open(new RegionOperationsClient(this.#options)));
  readonly #globalOperations = lazy(() => this.#open(new GlobalOperationsClient(this.#options)));

  #open<Client extends { close(): Promise<void> }>(client: Client): Client {
    this.#opened.push(client);
    return client;
  }

  get project(): string {
    return this.target.project;
  }

  get zone(): string {
    return this.target.zones[0];
  }

  name(): string {
    return `probe-${randomBytes(6).toString("hex")}`;
  }

  /** Returns the link of a type of disk. */
  typeLink(type: string, zone = this.zone): string {
    return `https://www.googleapis.com/compute/v1/projects/${this.project}/zones/${zone}/diskTypes/${type}`;
  }

  /** Sends a request without a client between; the path is that below the project. */
  async send(method: string, path: string, body?: Json, token: string = this.target.token): Promise<RawAnswer> {
    const { endpoint, project } = this.target;
    const response = await fetch(`${endpoint}/compute/v1/projects/${project}${path}`, {
      method,
      headers: { ...(token === "" ? {} : { authorization: `Bearer ${token}` }), "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // Only looked at by assertions.
    return { status: response.status, body: (await response.json()) as Json };
  }

  /** Makes an empty disk of 10 GB and waits for it. */
  async disk(resource: Json = {}): Promise<string> {
    const name = this.name();
    await this.done(await this.send("POST", `/zones/${this.zone}/disks`, { name, sizeGb: "10", ...resource }));
    return name;
  }

  /** Makes a snapshot of a disk of the zone and waits for its operation. */
  async snapshot(disk: string, resource: Json = {}): Promise<string> {
    const name = this.name();
    const path = `/zones/${this.zone}/disks/${disk}/createSnapshot`;
    await this.done(await this.send("POST", path, { name, ...resource }));
    return name;
  }

  /** Waits for the operation that an answer began; throws the answer's error, or the operation's. */
  async done(answer: RawAnswer): Promise<Json> {
    if (answer.status !== 200) throw new Error(`refused: ${answer.status} ${JSON.stringify(answer.body)}`);
    const operation = String(answer.body["name"]);
    const done = await this.wait(operation, String(answer.body["selfLink"]));
    if (done.error !== undefined && done.error !== null) throw new Error(`failed: ${JSON.stringify(done.error)}`);
    return answer.body;
  }

  /** Waits for the operation that one of Google's clients began. */
  async finished([{ latestResponse }]: readonly [
    { readonly latestResponse: unknown },
    ...unknown[],
  ]): Promise<Outcome> {
    // The clients type it as an operation of another API; by REST it is what Compute Engine wrote.
    const { name, selfLink } = latestResponse as { readonly name: string; readonly selfLink: string };
    return await this.wait(name, selfLink);
  }

  /** Waits for an operation by the client of its kind, as often as it is not done. */
  async wait(operation: string, selfLink: string): Promise<Outcome> {
    const { project } = this.target;
    const [, kind, place = ""] = /\/(zones|regions|global)(?:\/([^/]+))?\/operations\//.exec(selfLink) ?? [];
    for (;;) {
      const [found] =
        kind === "zones"
          ? await this.#zoneOperations().wait({ project, operation, zone: place })
          : kind === "regions"
            ? await this.#regionOperations().wait({ project, operation, region: place })
            : await this.#globalOperations().wait({ project, operation });
      if (found.status === "DONE") return found;
    }
  }

  close(): void {
    for (const client of this.#opened) void client.close();
  }
}

function lazy<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** Returns the reason of an error's body. */
export function reasonOf({ body }: RawAnswer): unknown {
  return errorOf(body)?.errors?.[0]?.reason;
}

/** Returns the message of an error's body. */
export function messageOf({ body }: RawAnswer): string {
  return String(errorOf(body)?.message);
}

function errorOf(
  body: Json,
): { readonly message?: unknown; readonly errors?: readonly { reason?: unknown }[] } | undefined {
  // The form of every error of the API.
  return body["error"] as ReturnType<typeof errorOf>;
}
