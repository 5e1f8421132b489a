// deno-lint-ignore-file no-console -- a task prints its result
/**
 * `deno task compile [FILE]`: compiles the service to one executable, which includes Deno and starts without a network.
 * Its runtime, denort, is downloaded by Deno, or is the file in DENORT_BIN.
 */

const ROOT = new URL("../", import.meta.url).pathname;

/** Files that are read at run time, in addition to the modules. */
export const INCLUDED = [
  "actors/gdpr/exports/documents/access_style.css",
  "db/migrations",
  "db/roles.sql",
  "graph/schema.graphql",
  "inspect/chart/chart.css",
  "inspect/customer/customer.css",
  "inspect/icon.svg",
  "inspect/inspect.css",
  "inspect/overview/overview.css",
  "inspect/print.css",
  "inspect/request/request.css",
  "inspect/script/inspect.js",
  "inspect/script/live.js",
  "inspect/script/view.js",
  "inspect/search/search.css",
  "inspect/settings/settings.css",
  "inspect/timeline/timeline.css",
  "vendor/idiomorph/dist/idiomorph.esm.js",
  "vendor/scalar/standalone.js.gz",
];

/**
 * Permissions of the executable: those of deno.json, but reading is allowed everywhere because the files are in its
 * working directory, writing because the path of the marker file is a setting, and running because it starts workers from its own file, whose name is not known.
 */
export const FLAGS = [
  ...["--quiet", "--frozen", "--no-prompt", "--unstable-no-legacy-abort", "--unstable-lazy-dynamic-imports"],
  ...["--allow-env", "--allow-net", "--allow-read", "--allow-write", "--allow-run"],
];

/** @returns the exit code */
async function compile(target: string): Promise<number> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      ...FLAGS,
      ...INCLUDED.flatMap((path) => ["--include", path]),
      ...["--output", target, "main.ts"],
    ],
    cwd: ROOT,
    // Packages that only tests and development reach stay out.
    env: { DENO_UNSTABLE_NPM_LAZY_CACHING: "1", NO_COLOR: "1" },
    stdout: "inherit",
    stderr: "piped",
  }).output();
  const output = new TextDecoder().decode(stderr);
  if (code === 0) {
    const { size } = await Deno.stat(target);
    console.log(`${target}: ${Math.round(size / 1_000_000)} MB`);
  } else if (/denort/.test(output)) {
    console.error(
      "Cannot compile: Deno cannot download denort. Download it for this version and platform elsewhere, and set " +
        `DENORT_BIN to its path.\n${output.split("\n", 3).join("\n")}`,
    );
  } else console.error(output);
  return code;
}

if (import.meta.main) Deno.exitCode = await compile(Deno.args[0] ?? `${ROOT}.data/customer-service`);
