import { EC2Client } from "@aws-sdk/client-ec2";
import type { Call } from "@flotilla/sdk/plugin";
import type { ClientSettings } from "./client.ts";
import { translateEc2Error } from "./errors.ts";
import type { Attempt } from "./errors.ts";
import { throttleRetryStrategy } from "./throttle-retry.ts";

/** What an operation passes on to `client.send`. */
export interface SendOptions {
  readonly abortSignal: AbortSignal;
}

/** The EC2 clients of one region. */
export class Ec2Session {
  readonly region: string;
  readonly #settings: ClientSettings;
  readonly #retrying: EC2Client;
  readonly #single: EC2Client;

  constructor(settings: ClientSettings) {
    this.region = settings.region;
    this.#settings = settings;
    this.#retrying = new EC2Client(settings);
    this.#single = new EC2Client({ ...settings, retryStrategy: throttleRetryStrategy(settings.maxAttempts) });
  }

  /** The same identity and network in another region. */
  inRegion(region: string, endpoint: string | undefined): Ec2Session {
    return new Ec2Session({ ...this.#settings, region, ...(endpoint === undefined ? {} : { endpoint }) });
  }

  /** Runs one operation that may be repeated; a failure becomes a PluginError that says what was tried. */
  async run<T>(
    attempt: Attempt,
    call: Call,
    operation: (client: EC2Client, options: SendOptions) => Promise<T>,
  ): Promise<T> {
    return await translated(attempt, call, async (options) => await operation(this.#retrying, options));
  }

  /** Runs one operation that is repeated only where it had no effect, since a second try would do it twice. */
  async runOnce<T>(
    attempt: Attempt,
    call: Call,
    operation: (client: EC2Client, options: SendOptions) => Promise<T>,
  ): Promise<T> {
    return await translated(attempt, call, async (options) => await operation(this.#single, options));
  }
}

async function translated<T>(
  attempt: Attempt,
  call: Call,
  operation: (options: SendOptions) => Promise<T>,
): Promise<T> {
  try {
    return await operation({ abortSignal: call.signal });
  } catch (error) {
    throw translateEc2Error(error, { ...attempt, signal: call.signal });
  }
}
