/** Installs Apache Kafka for tests: jars that Maven copies once, and a Java to run them. */

const POM = new URL("./pom.xml", import.meta.url);
const CACHE = new URL("../../.data/kafka-libs/", import.meta.url);
const OLDEST_JAVA = 17;

export interface Installation {
  java: string;
  /** For `java -cp`. */
  classpath: string;
  /** Folder for a formatted storage, which may not exist yet. */
  storage: string;
}

/** Kafka is not available. The message is for the person who runs the tests. */
export class KafkaMissing extends Error {
  override name = "KafkaMissing";
}

/**
 * Finds Java and the jars that pom.xml names. Only the first call needs Maven and the network.
 *
 * @throws {KafkaMissing}
 */
export async function findKafka(): Promise<Installation> {
  const java = await findJava();
  const pom = await Deno.readFile(POM);
  const version = new Uint8Array(await crypto.subtle.digest("SHA-256", pom)).toHex().slice(0, 12);
  const jars = new URL(version, CACHE).pathname;
  if (!(await exists(jars))) await resolveJars(jars);
  return { java, classpath: `${jars}/*`, storage: `${jars}.storage` };
}

async function findJava(): Promise<string> {
  const home = Deno.env.get("JAVA_HOME");
  const java = home ? `${home}/bin/java` : "java";
  const { stderr } = await run(java, ["-version"]);
  const version = Number(stderr.match(/version "(\d+)/)?.[1]);
  if (version >= OLDEST_JAVA) return java;
  throw new KafkaMissing(`Kafka needs Java ${OLDEST_JAVA} or newer, ${java} is ${version || "unknown"}`);
}

/** Copies the jars to a temporary folder. Of concurrent runs the first to complete wins. */
async function resolveJars(target: string): Promise<void> {
  const unfinished = `${target}.${Deno.pid}`;
  const { success, stdout } = await run("mvn", [
    "--quiet",
    "--batch-mode",
    "--file",
    POM.pathname,
    "dependency:copy-dependencies",
    "-DincludeScope=runtime",
    `-DoutputDirectory=${unfinished}`,
  ]);
  if (!success) {
    await Deno.remove(unfinished, { recursive: true }).catch(() => {});
    throw new KafkaMissing(`Maven cannot resolve Kafka's jars: ${stdout.trim().split("\n")[0]}`);
  }
  await Deno.rename(unfinished, target).catch(() => Deno.remove(unfinished, { recursive: true }));
}

async function run(program: string, args: string[]) {
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
    const decoder = new TextDecoder();
    return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new KafkaMissing(`Kafka needs Java ${OLDEST_JAVA} and Maven: ${program} is not installed`);
  }
}

export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
