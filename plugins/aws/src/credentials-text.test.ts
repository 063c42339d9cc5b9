import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalText } from "./credentials-text.ts";

const plain = "[default]\naws_access_key_id=A\naws_secret_access_key=B==\n";

const spellings: readonly (readonly [name: string, text: string])[] = [
  ["plain", plain],
  ["keys in upper case", "[default]\nAWS_ACCESS_KEY_ID=A\nAws_Secret_Access_Key=B==\n"],
  ["Windows line ends and none at the end", "[default]\r\naws_access_key_id=A\r\naws_secret_access_key=B=="],
  ["quoted values", `[default]\naws_access_key_id = "A"\naws_secret_access_key='B=='\n`],
  ["colons", "[default]\naws_access_key_id: A\naws_secret_access_key: B==\n"],
  ["blanks and tabs", "[ default\t]\naws_access_key_id\t=\tA\naws_secret_access_key =  B== \t\n"],
  ["indentation", "  [default]\n  aws_access_key_id=A\n\taws_secret_access_key=B==\n"],
  ["comments", "# ours\n[default] # mine\n; key=x\naws_access_key_id=A # c\naws_secret_access_key=B==\t; d\n"],
  ["an empty token", "[default]\naws_session_token=\naws_access_key_id=A\naws_secret_access_key=B==\n"],
  ["a section in two pieces", "[default]\naws_access_key_id=A\n[default]\naws_secret_access_key=B==\n"],
];

for (const [name, text] of spellings)
  test(`a file with ${name} is read`, () => {
    assert.equal(canonicalText(text), plain);
  });

test("a value may begin with and hold what elsewhere begins a comment or a section", () => {
  const text = "[default]\naws_access_key_id=#A;B\naws_secret_access_key=[C]#\n";

  assert.equal(canonicalText(text), text);
});

test("a nested table is one, also after a comment", () => {
  assert.equal(
    canonicalText("[services s]\ns3 = # ours\n  endpoint_url = http://a:1/\nec2 =\n\tendpoint_url = http://b:2\n"),
    "[services s]\ns3.endpoint_url=http://a:1/\nec2.endpoint_url=http://b:2\n",
  );
});

test("the last of two values counts, an empty one too", () => {
  assert.equal(canonicalText("[p]\nregion=a\nregion=b\noutput=json\noutput=\n"), "[p]\nregion=b\n");
});

test("what belongs to no section is left out", () => {
  assert.equal(canonicalText("AZURE_CLIENT_ID=x\n"), "");
});

const split = "[flotilla-source-of-p]\naws_access_key_id=A\naws_secret_access_key=B\n";
const roles: readonly (readonly [name: string, text: string, expected: string])[] = [
  [
    "its own keys",
    "[profile p]\naws_access_key_id=A\naws_secret_access_key=B\nrole_arn=R\n",
    `[profile p]\nrole_arn=R\nsource_profile=flotilla-source-of-p\n${split}`,
  ],
  [
    "itself as its source",
    "[p]\naws_access_key_id=A\naws_secret_access_key=B\nrole_arn=R\nsource_profile=p\n",
    `[p]\nrole_arn=R\nsource_profile=flotilla-source-of-p\n${split}`,
  ],
  [
    "keys in the other spelling of its section",
    "[profile p]\nrole_arn=R\n[p]\naws_access_key_id=A\naws_secret_access_key=B\n",
    `[profile p]\nrole_arn=R\nsource_profile=flotilla-source-of-p\n[p]\n${split}`,
  ],
  [
    "a process of its own",
    "[p]\ncredential_process=sh x\nrole_arn=R\n",
    "[p]\nrole_arn=R\nsource_profile=flotilla-source-of-p\n[flotilla-source-of-p]\ncredential_process=sh x\n",
  ],
];

for (const [name, text, expected] of roles)
  test(`a role with ${name} is assumed with that`, () => {
    assert.equal(canonicalText(text), expected);
  });

test("half a key pair beside a role stays where it is, to be seen as unfinished", () => {
  const text = "[p]\naws_access_key_id=A\nrole_arn=R\n";

  assert.equal(canonicalText(text), text);
});

for (const other of ["source_profile=q", "credential_source=Environment"])
  test(`a role with ${other} leaves the keys beside it alone`, () => {
    const text = `[p]\naws_access_key_id=A\naws_secret_access_key=B\nrole_arn=R\n${other}\n`;

    assert.equal(canonicalText(text), text);
  });
