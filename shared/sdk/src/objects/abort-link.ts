/** A controller that aborts with a signal, and on its own. */
export interface LinkedAbort {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Forgets the outer signal, which may live much longer. */
  unlink(): void;
}

/** Makes a controller that aborts when the signal does. */
export function linkAbort(outer: AbortSignal): LinkedAbort {
  const controller = new AbortController();
  const follow = (): void => controller.abort(outer.reason);
  if (outer.aborted) follow();
  else outer.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    unlink: () => outer.removeEventListener("abort", follow),
  };
}
