import { within } from "@flotilla/sdk/plugin";

/** A token for requests. */
export interface AccessToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Fetches a token. Its own signal, not a caller's: one token serves many calls. */
export type FetchToken = (signal: AbortSignal) => Promise<AccessToken>;

// As Google's own libraries do, so that no request arrives with a token that ends on its way.
const refreshBeforeMs = 4 * 60_000;
// Of a token that lives that short from the beginning: the next quarter of it is too early to ask again.
const shortestUse = 4;
const fetchLimitMs = 60_000;

/** Hands out the same token until shortly before its end. Calls that need a new one at the same time ask once. */
export class TokenSource {
  readonly #fetch: FetchToken;
  #pending: Promise<AccessToken> | undefined;
  #current: { readonly token: string; readonly freshUntilMs: number } | undefined;

  constructor(fetch: FetchToken) {
    this.#fetch = fetch;
  }

  /** The signal ends this wait only. */
  async token(signal: AbortSignal): Promise<string> {
    if (this.#current !== undefined && Date.now() < this.#current.freshUntilMs) return this.#current.token;
    this.#pending ??= this.#renew();
    return (await within(this.#pending, signal)).token;
  }

  /** Drops a token that a service refused, so that the next call fetches another. False where that was done already. */
  forget(token: string): boolean {
    if (this.#current?.token !== token) return false;
    this.#current = undefined;
    return true;
  }

  async #renew(): Promise<AccessToken> {
    try {
      const fetched = await this.#fetch(AbortSignal.timeout(fetchLimitMs));
      const lifetimeMs = fetched.expiresAtMs - Date.now();
      const marginMs = Math.min(refreshBeforeMs, lifetimeMs / shortestUse);
      this.#current = { token: fetched.token, freshUntilMs: fetched.expiresAtMs - marginMs };
      return fetched;
    } finally {
      this.#pending = undefined;
    }
  }
}
