import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import { backoffMs, systemClock } from "@flotilla/sdk/plugin";
import type { Backoff, Clock } from "@flotilla/sdk/plugin";
import { retryAfterMs } from "./retry-after.ts";

/** How often and after which waits a request is sent. */
export interface Patience extends Backoff {
  /** The first included. */
  readonly maxTries: number;
  readonly clock?: Clock;
}

/** What became of a request so far; the Blob SDK hands the same one over each time. */
interface Course {
  tries: number;
  /** As long as the store asked for. */
  waitedMs: number;
}

// The Blob SDK asks again after 500, 503 and broken connections only. These come from the service's front ends and from
// gateways before it, and mean the same.
const passingStatuses: ReadonlySet<number> = new Set([408, 429, 502, 504]);
const retriedBySdk: ReadonlySet<number> = new Set([500, 503]);

// As long as the official plugin waits for a store that says when to ask again: three times a minute.
const longestWaitMs = 60_000;
const longestWaitsMs = 3 * longestWaitMs;

/**
 * An HTTP client that sends a request again after refusals that pass and that the SDK takes for final, and that keeps
 * the SDK from asking sooner than the store says.
 */
export class PatientClient implements HttpClient {
  readonly #inner: HttpClient;
  readonly #patience: Patience;
  readonly #courses = new WeakMap<PipelineRequest, Course>();

  constructor(inner: HttpClient, patience: Patience) {
    this.#inner = inner;
    this.#patience = patience;
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    const { maxTries, clock = systemClock, ...backoff } = this.#patience;
    // The pipeline hands no other kind over.
    const signal = request.abortSignal instanceof AbortSignal ? request.abortSignal : undefined;
    const course = this.#courses.get(request) ?? { tries: 0, waitedMs: 0 };
    this.#courses.set(request, course);
    for (;;) {
      course.tries += 1;
      const response = await this.#inner.sendRequest(request);
      const passes = passingStatuses.has(response.status);
      if (!(passes || retriedBySdk.has(response.status)) || course.tries >= maxTries) return response;
      const askedMs = takeWait(response, course);
      if (!passes) {
        if (askedMs > 0) await clock.sleep(askedMs, signal);
        return response;
      }
      // Unread, it would keep its connection.
      response.readableStreamBody?.on("error", () => undefined);
      response.readableStreamBody?.resume();
      await clock.sleep(Math.max(backoffMs(course.tries, backoff, Math.random), askedMs), signal);
    }
  }
}

/** How long the store asks to wait; nothing where that would be longer in all than anybody waits. */
function takeWait({ headers }: PipelineResponse, course: Course): number {
  const askedMs = retryAfterMs((name) => headers.get(name)) ?? 0;
  if (askedMs > longestWaitMs || course.waitedMs + askedMs > longestWaitsMs) return 0;
  course.waitedMs += askedMs;
  return askedMs;
}
