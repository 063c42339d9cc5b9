import { after, test } from "node:test";

import type { Stage } from "./stage.ts";

/** `say` puts a line beside the step's result. */
type Run = (say: (line: string) => void) => Promise<void>;
type Tell = (title: string, run: Run) => void;

/** Steps that are told in their order, each on what those before it left. */
export interface Story {
  /** One step, which others may need: where it fails, those after it are not tried. */
  readonly step: Tell;
  /** One step on which nothing depends. */
  readonly aside: Tell;
}

// Longer than anything that a step waits for.
const stepTimeoutMs = 900_000;

/** Begins a story on a stage, which is closed at its end. */
export function beginStory(stage: Stage): Story {
  let broken: string | undefined;
  let failed = false;
  const tell = (title: string, run: Run, isNeeded: boolean): void => {
    test(`${stage.cloud.provider}: ${title}`, { timeout: stepTimeoutMs }, async (t) => {
      if (broken !== undefined) {
        t.skip(`not tried, because this failed: ${broken}`);
        return;
      }
      try {
        await run((line) => t.diagnostic(line));
      } catch (error) {
        failed = true;
        if (isNeeded) broken = title;
        throw error;
      }
    });
  };
  after(async () => await stage.close(failed));
  return {
    step: (title, run) => tell(title, run, true),
    aside: (title, run) => tell(title, run, false),
  };
}
