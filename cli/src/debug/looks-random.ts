// Bits a letter: words and paths have fewer, keys and tokens in base64 more.
const randomBits = 4.1;

// The parts of a path are names; one of this length is none.
const randomPart = 16;

// A secret key of AWS, in which a slash is as likely as any other letter.
const secretKeyOfAws = /^[A-Za-z0-9+/]{40}$/;

/** Whether a run of letters looks like a key or a token rather than a name, a path or an id in lower case. */
export function looksRandom(token: string): boolean {
  if (!token.startsWith("/") || secretKeyOfAws.test(token)) return isRandom(token);
  return token.split("/").some((part) => part.length >= randomPart && isRandom(part));
}

function isRandom(text: string): boolean {
  const letters = text.replaceAll(/%[0-9a-f]{2}|=+$/gi, "");
  const kinds = [/[a-z]/, /[A-Z]/, /\d/].filter((kind) => kind.test(letters)).length;
  const needed = Math.min(randomBits, Math.log2(letters.length) - 0.5);
  return kinds === 3 && changes(letters) >= letters.length / 4 && bitsPerLetter(letters) >= needed;
}

/** How often two letters of different kinds are neighbours: seldom in names, every second time in what is random. */
function changes(text: string): number {
  const kinds = Array.from(text, (letter) => (/[a-z]/.test(letter) ? 0 : /[A-Z]/.test(letter) ? 1 : 2));
  return kinds.filter((kind, index) => index > 0 && kind !== kinds[index - 1]).length;
}

function bitsPerLetter(text: string): number {
  const counts = new Map<string, number>();
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
}
