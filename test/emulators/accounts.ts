/** One access key with what it may do; the stand-ins know no other identity. */
export interface Account {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** When set, each request must carry exactly this token. */
  readonly sessionToken?: string;
  /** A session that has ended: every request is answered with ExpiredToken. A date is compared with the clock. */
  readonly expired?: boolean | Date;
  /** The twelve digits that own the account's buckets, volumes and snapshots. Default: `defaultAccountId`. */
  readonly accountId?: string;
  /** How access-denied messages and GetCallerIdentity name the caller. */
  readonly arn?: string;
  /** The only buckets that this key may use; absent means every bucket. */
  readonly buckets?: readonly string[];
  /** Refused actions in IAM's spelling, `*` as wildcard: `s3:PutObject`, `ec2:Create*`. */
  readonly deny?: readonly string[];
  /** The only actions that are not refused, as a policy has them; absent means all. */
  readonly allow?: readonly string[];
}

/** The owner of everything created by an account that names none. */
export const defaultAccountId = "123456789012";

/** The key pair that the stand-ins accept when none is configured. */
export const defaultAccount: Account = { accessKeyId: "test", secretAccessKey: "testsecret" };

/** The known access keys; shared by the S3, EC2 and STS stand-ins so that an assumed role works everywhere. */
export class Accounts {
  readonly #byKey = new Map<string, Account>();

  constructor(accounts: Iterable<Account> = [defaultAccount]) {
    for (const account of accounts) this.add(account);
  }

  /** Adds an account, or replaces the one with the same access key. */
  add(account: Account): void {
    this.#byKey.set(account.accessKeyId, account);
  }

  remove(accessKeyId: string): void {
    this.#byKey.delete(accessKeyId);
  }

  find(accessKeyId: string): Account | undefined {
    return this.#byKey.get(accessKeyId);
  }
}

/** Takes either form in which a test may hand over its accounts. */
export function toAccounts(accounts: Accounts | Iterable<Account> | undefined): Accounts {
  return accounts instanceof Accounts ? accounts : new Accounts(accounts);
}

/** Returns the owner's twelve digits. */
export function accountIdOf(account: Account): string {
  return account.accountId ?? defaultAccountId;
}

/** Returns the caller's ARN. */
export function arnOf(account: Account): string {
  return account.arn ?? `arn:aws:iam::${accountIdOf(account)}:user/${account.accessKeyId}`;
}

/** Tells whether the account's session has ended at the given time. */
export function hasExpired(account: Account, now: Date): boolean {
  return account.expired instanceof Date ? account.expired <= now : account.expired === true;
}

/** Tells whether the account may perform an action, on a bucket where the action has one. */
export function isAllowed(account: Account, action: string, bucket?: string): boolean {
  if (bucket !== undefined && account.buckets !== undefined && !account.buckets.includes(bucket)) return false;
  const isAllowed = account.allow?.some((pattern) => matchesAction(pattern, action)) ?? true;
  return isAllowed && !(account.deny ?? []).some((pattern) => matchesAction(pattern, action));
}

function matchesAction(pattern: string, action: string): boolean {
  const wanted = pattern.toLowerCase();
  const actual = action.toLowerCase();
  return wanted.endsWith("*") ? actual.startsWith(wanted.slice(0, -1)) : actual === wanted;
}
