/**
 * The same chunks, but the wait for the next one ends with the signal's reason when it aborts, even when the source
 * itself would never answer.
 */
export async function* interruptible<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  // One slot instead of a race for each chunk: each race would leave its reactions behind on the long-lived side.
  let interrupt: ((reason: unknown) => void) | undefined;
  const onAbort = (): void => interrupt?.(signal.reason);
  const next = async (): Promise<IteratorResult<T>> =>
    await new Promise((resolve, reject) => {
      interrupt = reject;
      iterator.next().then(resolve, reject);
    });
  signal.addEventListener("abort", onAbort, { once: true });
  let isOver = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      isOver = true;
      const step = await next();
      if (step.done === true) return;
      isOver = false;
      yield step.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    await leave(iterator, isOver, signal.aborted);
  }
}

async function leave<T>(iterator: AsyncIterator<T>, isOver: boolean, isAborted: boolean): Promise<void> {
  if (isOver && !isAborted) return;
  const left = Promise.resolve(iterator.return?.()).catch(() => undefined);
  // A generator that still waits for its own next chunk answers only after that one, which may never come.
  if (!isAborted) await left;
}
