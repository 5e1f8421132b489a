/**
 * Storefront: a shopper reads and corrects the profile. Argument: the new first name.
 * Environment: GRAPHQL_URL (the router's), SHOPPER_TOKEN.
 */
import process from "node:process";

interface Answer<T> {
  data?: T | null;
  errors?: { message: string; path?: string[]; extensions: { code: string } }[];
}

/** Sends an operation. GraphQL errors come back in the answer: one field may fail while others have data. */
async function ask<T>(query: string, variables: object, headers: Record<string, string> = {}): Promise<Answer<T>> {
  const response = await fetch(process.env.GRAPHQL_URL!, {
    method: "POST", // GET is refused, since URLs are logged
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${process.env.SHOPPER_TOKEN}`,
      ...headers,
    },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(5_000),
  });
  return await response.json();
}

interface Profile {
  firstName: string | null;
  version: number;
}

async function readProfile(): Promise<Profile> {
  const { data, errors } = await ask<{ me: Profile }>("{ me { firstName version } }", {});
  if (!data?.me) throw new Error(`Cannot read the profile: ${errors?.[0]?.extensions.code}`);
  return data.me;
}

/** Changes the name, unless the profile has changed since it was read: then reads it again and repeats. */
async function changeName(firstName: string): Promise<Profile> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    const { version } = await readProfile();
    const { data, errors } = await ask<{ updateProfile: Profile }>(
      `mutation ($input: UpdateProfileInput!, $version: Int) {
        updateProfile(input: $input, expectedVersion: $version) { firstName version }
      }`,
      { input: { firstName }, version },
      // The same key for each repetition of one change: it is carried out once.
      { "idempotency-key": crypto.randomUUID() },
    );
    if (data?.updateProfile) return data.updateProfile;
    const code = errors?.[0]?.extensions.code;
    if (code !== "CONFLICT") throw new Error(`Cannot change the name: ${code}, ${errors?.[0]?.message}`);
  }
  throw new Error("Cannot change the name: the profile keeps changing");
}

const { firstName, version } = await changeName(process.argv[2] ?? "");
console.log(`first name ${firstName}, version ${version}`);
