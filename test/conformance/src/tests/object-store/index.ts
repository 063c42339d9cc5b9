import type { ConformanceTest } from "../../test.ts";
import { abandonedGetsTests } from "./abandoned-gets.ts";
import { cancelledPutsTests } from "./cancelled-puts.ts";
import { concurrencyTests } from "./concurrency.ts";
import { deleteTests } from "./delete.ts";
import { existsTests } from "./exists.ts";
import { failuresTests } from "./failures.ts";
import { getTests } from "./get.ts";
import { initTests } from "./init.ts";
import { listManyTests } from "./list-many.ts";
import { listPrefixesTests } from "./list-prefixes.ts";
import { listTests } from "./list.ts";
import { locationsTests } from "./locations.ts";
import { memoryTests } from "./memory.ts";
import { oddKeysTests } from "./odd-keys.ts";
import { overwriteTests } from "./overwrite.ts";
import { putFailureTests } from "./put-failure.ts";
import { putMessagesTests } from "./put-messages.ts";
import { putTests } from "./put.ts";
import { signedUrlsTests } from "./signed-urls.ts";

/** Every test of this subject, in the order in which they run. */
export const objectStoreTests: readonly ConformanceTest[] = [
  ...initTests,
  ...putTests,
  ...putMessagesTests,
  ...putFailureTests,
  ...overwriteTests,
  ...cancelledPutsTests,
  ...getTests,
  ...abandonedGetsTests,
  ...existsTests,
  ...listTests,
  ...listPrefixesTests,
  ...listManyTests,
  ...deleteTests,
  ...signedUrlsTests,
  ...oddKeysTests,
  ...failuresTests,
  ...locationsTests,
  ...concurrencyTests,
  ...memoryTests,
];
