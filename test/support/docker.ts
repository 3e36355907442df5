import { execFile } from 'node:child_process';
import type { TestContext } from 'node:test';

/** Longest for one command: a build without a cache takes two minutes on a slow machine. */
const COMMAND_MS = 300_000;

/** What a finished command left. `code` is its exit code. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The image that `npm run test:compose` builds before it runs the tests. */
export const image = 'attache';

/** Runs the Docker client. Rejects when the command fails. */
export async function docker(...args: readonly string[]): Promise<string> {
  return output(await run('docker', args), `docker ${args.join(' ')}`);
}

/** The same, for commands that are expected to fail. */
export function tryDocker(...args: readonly string[]): Promise<Finished> {
  return run('docker', args);
}

/** One Compose project on the repository's `docker-compose.yml`. */
export class ComposeProject {
  readonly name: string;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(name: string, environment: Readonly<Record<string, string>> = {}) {
    this.name = name;
    this.#environment = environment;
  }

  get network(): string {
    return `${this.name}_default`;
  }

  /** Runs a Compose command in the project. Rejects when it fails. */
  async run(...args: readonly string[]): Promise<string> {
    const [command = 'docker-compose', ...words] = (process.env['COMPOSE_COMMAND'] ?? 'docker compose').split(' ');
    const finished = await run(command, [...words, '--project-name', this.name, ...args], this.#environment);
    return output(finished, `${command} ${args.join(' ')}`);
  }

  /** Id of the service's container, stopped or not. */
  async container(service: string): Promise<string> {
    return (await this.run('ps', '--all', '--quiet', service)).trim();
  }
}

/**
 * Starts a container from the image, detached, and removes it when the test ends.
 *
 * @returns its id
 */
export async function startContainer(t: TestContext, ...args: readonly string[]): Promise<string> {
  const id = (await docker('run', '--detach', ...args)).trim();
  t.after(() => docker('rm', '--force', '--volumes', id));
  return id;
}

/** The host port that a container's port was published on. */
export async function publishedPort(container: string, port: number): Promise<number> {
  const [first = ''] = (await docker('port', container, `${port}/tcp`)).split('\n');
  return Number(first.slice(first.lastIndexOf(':') + 1));
}

/** One value out of `docker inspect`, by Go template. */
export async function inspect(container: string, template: string): Promise<string> {
  return (await docker('inspect', '--format', template, container)).trim();
}

function output({ code, stdout, stderr }: Finished, command: string): string {
  if (code !== 0) throw new Error(`${command}: exit code ${code}\n${stderr}${stdout}`);
  return stdout;
}

function run(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const options = { env: { ...process.env, ...environment }, timeout: COMMAND_MS, maxBuffer: 16 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') resolve({ code, stdout, stderr });
      else reject(error ?? new Error('no exit code'));
    });
  });
}
