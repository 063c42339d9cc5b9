import { setTimeout as delay } from "node:timers/promises";

import { startFaultProxy } from "./network/fault-proxy.ts";
import type { FaultProxy, ProxyFaults } from "./network/fault-proxy.ts";
import { startHttpFaultProxy } from "./network/http-fault-proxy.ts";
import type { HttpFaultProxy } from "./network/http-fault-proxy.ts";
import type { Journal } from "./plugin/journal.ts";
import type { Observations } from "./plugin/observations.ts";
import { ObjectStoreSession } from "./plugin/object-store-session.ts";
import { PluginSession } from "./plugin/plugin-session.ts";
import type { SessionOptions } from "./plugin/plugin-session.ts";
import { VolumeSnapshotterSession } from "./plugin/volume-snapshotter-session.ts";
import type {
  LocationConfig,
  ObjectStoreTarget,
  Target,
  TargetKind,
  VolumeSnapshotterTarget,
} from "./target/target.ts";

/** How a location is opened for a test. */
export interface OpenOptions extends SessionOptions {
  /** Keys beside or instead of the target's. */
  readonly config?: LocationConfig;
  /** A process that runs already; a new one otherwise. */
  readonly session?: PluginSession;
}

/** A way to the store that leads through a proxy. */
export interface Detour<P> {
  readonly proxy: P;
  /** Of {@link OpenOptions}. */
  readonly config: LocationConfig;
  /** Of {@link OpenOptions}. */
  readonly env: Readonly<Record<string, string>>;
}

/** What one test is given. */
export interface ContextPlace {
  readonly command: string;
  readonly target: Target;
  readonly testId: string;
  /** Below which all keys of this test lie; ends with `/`. */
  readonly prefix: string;
  readonly journal: Journal;
  readonly observations: Observations;
  readonly signal: AbortSignal;
  /** Of the soak: how long, in milliseconds, and from which seed. */
  readonly soak: { readonly durationMs: number; readonly workers: number; readonly seed: string };
}

type Disposal = () => Promise<unknown>;

/** What one run of one test has at hand. Everything that it opens is ended with it. */
export class TestContext {
  readonly place: ContextPlace;
  readonly #disposals: Disposal[] = [];
  #isClosed = false;
  readonly #snapshots: { readonly config: LocationConfig; readonly snapshotId: string }[] = [];

  constructor(place: ContextPlace) {
    this.place = place;
  }

  get target(): Target {
    return this.place.target;
  }

  /** The executable. */
  get command(): string {
    return this.place.command;
  }

  get provider(): string {
    return this.place.target.provider;
  }

  /** How many times the usual time things may take on this target. */
  get timeLimitFactor(): number {
    return this.target.timeLimitFactor ?? 1;
  }

  /** Aborts when the test has run out of time. */
  get signal(): AbortSignal {
    return this.place.signal;
  }

  /** What all sessions of the run showed so far. */
  get observations(): Observations {
    return this.place.observations;
  }

  /** The object store of the target; the runner only starts a test of this kind where there is one. */
  get objectTarget(): ObjectStoreTarget {
    return required(this.target.objectStore, "objectStore");
  }

  /** The volume snapshotter of the target. */
  get volumeTarget(): VolumeSnapshotterTarget {
    return required(this.target.volumeSnapshotter, "volumeSnapshotter");
  }

  /** A fact of the target that a claimed capability promises. */
  fact<T>(value: T | undefined, name: string): T {
    return required(value, name);
  }

  /** A key of this test's own. What lies there is removed at the end of the run. */
  key(name: string): string {
    return `${this.place.prefix}${name}`;
  }

  /** Below which all keys of this test lie. */
  get prefix(): string {
    return this.place.prefix;
  }

  /** Starts a process of the plugin as the server does. */
  async start(options: SessionOptions = {}): Promise<PluginSession> {
    const { command, target, testId, journal, observations } = this.place;
    const { timeLimitFactor } = this;
    const place = { command, env: target.env, testId, journal, observations, timeLimitFactor };
    const session = await PluginSession.start(place, options);
    this.own(() => session.dispose());
    return session;
  }

  /** Opens the target's object store, in a new process unless one is given. */
  async openObjectStore(options: OpenOptions = {}): Promise<ObjectStoreSession> {
    const session = options.session ?? (await this.start(options));
    return await ObjectStoreSession.open(session, this.provider, { ...this.objectTarget.config, ...options.config });
  }

  /** Opens the target's volume snapshotter, in a new process unless one is given. */
  async openVolumeSnapshotter(options: OpenOptions = {}): Promise<VolumeSnapshotterSession> {
    const session = options.session ?? (await this.start(options));
    const config = { ...this.volumeTarget.config, ...options.config };
    return await VolumeSnapshotterSession.open(session, this.provider, config);
  }

  /** Has a snapshot deleted at the end of the test. */
  ownSnapshot(snapshotter: VolumeSnapshotterSession, snapshotId: string): void {
    this.#snapshots.push({ config: snapshotter.config, snapshotId });
  }

  /** Puts a proxy before the store or the volumes' API; what it changes of config and environment leads through it. */
  async startProxy(kind: TargetKind, faults: ProxyFaults = {}): Promise<Detour<FaultProxy>> {
    return await this.#detour(kind, (targetHost, targetPort) => startFaultProxy({ ...faults, targetHost, targetPort }));
  }

  /** The same with a proxy that reads HTTP, for faults of single requests. */
  async startHttpProxy(kind: TargetKind): Promise<Detour<HttpFaultProxy>> {
    const address =
      kind === "ObjectStore"
        ? { routesByHost: this.objectTarget.routesByHost }
        : { tls: this.volumeTarget.endpointTls };
    return await this.#detour(kind, (host, port) => startHttpFaultProxy({ host, port, ...address }));
  }

  async #detour<P extends { readonly port: number; close(): Promise<void> }>(
    kind: TargetKind,
    startProxy: (host: string, port: number) => Promise<P>,
  ): Promise<Detour<P>> {
    const place = kind === "ObjectStore" ? this.objectTarget : this.volumeTarget;
    const key = place.endpointKey ?? this.fact(place.endpointVariable, "endpointKey");
    const text = place.endpointKey === undefined ? this.target.env[key] : place.config[key];
    const endpoint = new URL(this.fact(text, `the endpoint in ${key}`));
    const proxy = await startProxy(endpoint.hostname, Number(endpoint.port || 80));
    this.own(() => proxy.close());
    const through = new URL(endpoint);
    through.host = `127.0.0.1:${proxy.port}`;
    // A URL without a path is printed with one, which some stores take for a part of the key.
    const changes = { [key]: endpoint.pathname === "/" ? through.href.replace(/\/$/, "") : through.href };
    return place.endpointKey === undefined ? { proxy, config: {}, env: changes } : { proxy, config: changes, env: {} };
  }

  /** Runs this when the test has ended, last first. */
  own(disposal: Disposal): void {
    // What a test that failed early was still opening must not outlive it.
    if (this.#isClosed) void disposal().catch(() => undefined);
    else this.#disposals.unshift(disposal);
  }

  /** Waits until the condition holds; fails the test after the time. */
  async until(what: string, condition: () => boolean | Promise<boolean>, usualMs = 10_000): Promise<void> {
    const withinMs = usualMs * this.timeLimitFactor;
    const deadline = performance.now() + withinMs;
    while (!(await condition())) {
      if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`);
      await delay(20, undefined, { signal: this.signal });
    }
  }

  /** Ends everything. Answers what could not be removed. */
  async close(): Promise<readonly string[]> {
    const faults: string[] = [];
    const attempt = async (work: Promise<unknown>): Promise<void> => {
      await work.catch((error: unknown) => void faults.push(`clean up: ${String(error)}`));
    };
    for (const disposal of this.#disposals.splice(0)) await attempt(disposal());
    if (this.#snapshots.length > 0) await attempt(this.#removeSnapshots());
    for (const disposal of this.#disposals) await attempt(disposal());
    this.#isClosed = true;
    return faults;
  }

  async #removeSnapshots(): Promise<void> {
    const session = await this.start();
    for (const { config, snapshotId } of this.#snapshots)
      await (await this.openVolumeSnapshotter({ session, config })).deleteSnapshot(snapshotId);
  }
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the target claims what it does not give: ${name}`);
  return value;
}
