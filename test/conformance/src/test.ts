import type { Capability, TargetKind } from "./target/target.ts";
import type { TestContext } from "./test-context.ts";
import type { RuleId } from "./rules/index.ts";

/** One behaviour, judged from outside. */
export interface ConformanceTest {
  /** `<subject>/<file>/<behaviour>`, in kebab-case; stable, since reports and targets name it. */
  readonly id: string;
  /** A sentence of behaviour. */
  readonly title: string;
  /** The rule that a failure breaks. */
  readonly rule: RuleId;
  /** Which part of a target it needs; absent for tests of the process alone. */
  readonly kind?: TargetKind;
  /** What the target must claim, or the test is skipped there. */
  readonly needs?: readonly Capability[];
  /** Left out unless slow tests are asked for. */
  readonly isSlow?: boolean;
  /** Default: a minute. */
  readonly timeoutMs?: number;
  /** Tests that judge what all others made the plugin say run after them. */
  readonly runsLast?: boolean;
  readonly run: (t: TestContext) => Promise<void>;
}
