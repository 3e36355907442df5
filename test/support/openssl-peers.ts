import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import type { TcpAddress } from '../../src/core/address.ts';
import { eventually } from './wait.ts';

/** A real `openssl s_client` or `s_server`, ended with the test. */
export interface OpensslPeer {
  /** Everything it printed; plain text that it received is part of it. */
  output(): string;
  write(text: string): void;
  readonly hasExited: () => boolean;
  stop(): Promise<void>;
}

export function startSClient(t: TestContext, port: number, args: readonly string[]): OpensslPeer {
  return startOpenssl(t, ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-quiet', ...args]);
}

export async function startSServer(
  t: TestContext,
  args: readonly string[],
): Promise<OpensslPeer & { readonly address: TcpAddress }> {
  const peer = startOpenssl(t, ['s_server', '-accept', '127.0.0.1:0', ...args]);
  const port = (): number => Number(/ACCEPT 127\.0\.0\.1:(\d+)/.exec(peer.output())?.[1] ?? 0);
  await eventually(() => port() !== 0, `s_server listens: ${peer.output()}`);
  return { ...peer, address: { kind: 'tcp', host: 'localhost', port: port() } };
}

function startOpenssl(t: TestContext, args: readonly string[]): OpensslPeer {
  const child: ChildProcessWithoutNullStreams = spawn('openssl', args);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  // It may have left already.
  child.stdin.on('error', () => undefined);
  const gone = once(child, 'close');
  const stop = async () => {
    child.kill('SIGKILL');
    await gone;
  };
  t.after(stop);
  return {
    output: () => output,
    write: (text) => child.stdin.write(text),
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    stop,
  };
}
