// deno-lint-ignore-file no-console -- what a task prints is its result
/**
 * `deno task compile [FILE]`: makes one program of the service, Deno included, which starts without a network. The
 * runtime that it is built around, denort, comes from Deno's own downloads, or from the file that DENORT_BIN names.
 */

const ROOT = new URL("../", import.meta.url).pathname;

/** What is read at run time, beside the modules. */
export const INCLUDED = [
  "actors/gdpr/documents/access_style.css",
  "db/migrations",
  "db/roles.sql",
  "graph/schema.graphql",
  "inspect/chart/chart.css",
  "inspect/icon.svg",
  "inspect/inspect.css",
  "inspect/overview/overview.css",
  "inspect/request/request.css",
  "inspect/script/inspect.js",
  "inspect/script/live.js",
  "inspect/script/look.js",
  "inspect/timeline/timeline.css",
  "vendor/idiomorph/dist/idiomorph.esm.js",
  "vendor/scalar/standalone.js.gz",
];

/**
 * The permissions are a part of the program. They are those of deno.json, but that its own files stand wherever it is
 * started from, and that whoever starts workers starts itself, under whatever name.
 */
export const FLAGS = [
  ...["--quiet", "--frozen", "--no-prompt", "--unstable-no-legacy-abort"],
  ...["--allow-env", "--allow-net", "--allow-read", "--allow-run"],
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
  const told = new TextDecoder().decode(stderr);
  if (code === 0) {
    const { size } = await Deno.stat(target);
    console.log(`${target}: ${Math.round(size / 1_000_000)} MB`);
  } else if (/denort/.test(told)) {
    console.error(
      "Cannot compile: Deno's downloads are out of reach. Fetch denort of this version and platform where they are " +
        `not, and name the file in DENORT_BIN.\n${told.split("\n", 3).join("\n")}`,
    );
  } else console.error(told);
  return code;
}

if (import.meta.main) Deno.exitCode = await compile(Deno.args[0] ?? `${ROOT}.data/customer-service`);
