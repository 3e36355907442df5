import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IPod } from 'kubernetes-models/v1/Pod';
import { eventually } from './wait.ts';

/** Where a container is in its life. */
export interface ContainerState {
  readonly status: string;
  readonly exitCode: number;
}

/**
 * Runs pods without a cluster. It has storage of its own, which goes with {@link close}.
 *
 * podman 4 heeds shared loopback, read-only roots, capabilities, users and limits of a Pod; it knows neither probes
 * nor native sidecars.
 */
export class Podman {
  readonly #folder = mkdtempSync(join(tmpdir(), 'attache-podman-'));
  readonly #pods = new Set<string>();

  constructor() {
    // The defaults are more than a container that runs this may have.
    const limits = '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n';
    writeFileSync(join(this.#folder, 'containers.conf'), limits);
  }

  /** Takes images over from the Docker engine. */
  load(...images: readonly string[]): void {
    const { status, stderr } = spawnSync(
      'bash',
      ['-c', `set -o pipefail; docker save "$@" | podman ${this.#flags.join(' ')} load --quiet`, 'bash', ...images],
      { env: this.#environment, encoding: 'utf8', timeout: 100_000 },
    );
    if (status !== 0) throw new Error(`podman load: ${stderr}`);
  }

  /** Starts a pod that has nothing but its own loopback. */
  async play(pod: IPod): Promise<void> {
    const name = pod.metadata?.name ?? '';
    const file = join(this.#folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(pod));
    this.#pods.add(name);
    await this.run('play', 'kube', '--network', 'none', file);
  }

  exec(container: string, ...command: readonly string[]): Promise<string> {
    return this.run('exec', container, ...command);
  }

  async state(container: string): Promise<ContainerState> {
    const [status = '', code] = (
      await this.run('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', container)
    )
      .trim()
      .split(' ');
    return { status, exitCode: Number(code) };
  }

  /** Waits for a container's end. @returns its exit code */
  async ended(container: string): Promise<number> {
    let last: ContainerState = { status: '', exitCode: -1 };
    await eventually(
      async () => (last = await this.state(container)).status === 'exited',
      `${container} has ended`,
      60_000,
    );
    return last.exitCode;
  }

  /** Rejects when the command fails. */
  run(...args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { env: this.#environment, timeout: 60_000, maxBuffer: 16 * 1024 * 1024 };
      execFile('podman', [...this.#flags, ...args], options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`podman ${args.join(' ')}: ${stderr}`));
      });
    });
  }

  async close(): Promise<void> {
    for (const pod of this.#pods) await this.run('pod', 'rm', '--force', '--time', '2', pod).catch(() => undefined);
    await this.run('system', 'reset', '--force').catch(() => undefined);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #flags(): readonly string[] {
    return [
      '--root',
      join(this.#folder, 'root'),
      '--runroot',
      join(this.#folder, 'run'),
      '--cgroup-manager',
      'cgroupfs',
    ];
  }

  get #environment(): NodeJS.ProcessEnv {
    return { ...process.env, CONTAINERS_CONF: join(this.#folder, 'containers.conf') };
  }
}
