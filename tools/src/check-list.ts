/** Runs checks one after another and counts them; a check fails by throwing. */
export interface CheckList {
  check(title: string, run: () => Promise<void> | void): Promise<void>;
  /** Prints the closing line and answers the exit code. */
  close(): number;
}

/** A check list that prints one line a check. */
export function createCheckList(print: (line: string) => void): CheckList {
  let passed = 0;
  let failed = 0;
  return {
    async check(title, run) {
      try {
        await run();
        passed += 1;
        print(`ok    ${title}`);
      } catch (error) {
        failed += 1;
        print(`FAIL  ${title}\n      ${String(error).replaceAll("\n", "\n      ")}`);
      }
    },
    close() {
      print(`${passed} passed, ${failed} failed`);
      return failed === 0 && passed > 0 ? 0 : 1;
    },
  };
}
