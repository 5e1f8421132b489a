// deno-lint-ignore-file no-console
/** Storefront: a shopper corrects the first name. Argument: FIRST_NAME. */
import process from "node:process";
import { ask, Refused } from "./graphql.ts";

interface Profile {
  firstName: string | null;
  /** A SUSPENDED or CLOSED shopper may look, but neither change the profile nor order. */
  status: string;
  version: number;
}

/** Changes the name. When the profile has changed since it was read, reads it again and repeats. */
async function changeName(firstName: string): Promise<Profile> {
  for (let attempt = 1;; attempt++) {
    const { me } = await ask<{ me: Profile }>("{ me { firstName status version } }");
    try {
      const { updateProfile } = await ask<{ updateProfile: { customer: Profile } }>(
        `mutation ($input: UpdateProfileInput!, $version: Int) {
          updateProfile(input: $input, expectedVersion: $version) { customer { firstName status version } }
        }`,
        { input: { firstName }, version: me.version },
      );
      return updateProfile.customer;
    } catch (error) {
      if (!(error instanceof Refused && error.code === "CONFLICT") || attempt === 3) throw error;
    }
  }
}

try {
  const { firstName, status, version } = await changeName(process.argv[2] ?? "");
  console.log(`first name ${firstName}, status ${status}, version ${version}`);
} catch (error) {
  if (!(error instanceof Refused && error.code === "BAD_USER_INPUT")) throw error;
  console.log(error.message); // names the fields that are wrong: mark them in the form
  process.exitCode = 2;
}
