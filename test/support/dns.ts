import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Resolver } from 'node:dns/promises';
import type { Scope } from './scope.ts';
import { spoken } from './spoken.ts';
import { eventually } from './wait.ts';

export interface DnsmasqOptions {
  /** What it knows: name and addresses, as in `--host-record`. */
  readonly records: readonly (readonly [name: string, ...addresses: string[]])[];
  /** Names below this domain are asked of `silentPort`, so that no answer to them ever comes. */
  readonly silent?: { readonly domain: string; readonly port: number };
  /** Default: a free port on 127.0.0.1. */
  readonly at?: { readonly host: string; readonly port: number };
}

/** A real dnsmasq that knows names below `test`, ended with the test. @returns `host:port` */
export async function startDnsmasq(t: Scope, options: DnsmasqOptions): Promise<string> {
  // It listens on TCP as well, where a port that is free on UDP may be taken.
  for (let trials = options.at === undefined ? 10 : 1; ; trials -= 1) {
    const at = options.at ?? { host: '127.0.0.1', port: await freeUdpPort() };
    try {
      return await startDnsmasqAt(t, options, at);
    } catch (error) {
      if (trials <= 1 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

async function startDnsmasqAt(
  t: Scope,
  { records, silent }: DnsmasqOptions,
  at: NonNullable<DnsmasqOptions['at']>,
): Promise<string> {
  const args = [
    ...['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--no-poll', '--pid-file='],
    ...['--bind-interfaces', `--listen-address=${at.host}`, `--port=${at.port}`, '--cache-size=0', '--local=/test/'],
    ...records.map((record) => `--host-record=${record.join(',')}`),
    ...(silent === undefined ? [] : [`--server=/${silent.domain}/127.0.0.1#${silent.port}`]),
    ...(process.getuid?.() === 0 ? ['--user=root', '--group=root'] : []),
  ];
  const child = spawn('dnsmasq', [...args, '--log-facility=-'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const { output } = spoken(t, child);
  const address = `${at.host}:${at.port}`;
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([address]);
  const [name = ''] = records[0] ?? [];
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`dnsmasq exited: ${output()}`);
    return resolver.resolveAny(name).then(
      () => true,
      () => false,
    );
  }, 'dnsmasq answers');
  return address;
}

export interface SilentServer {
  readonly port: number;
  /** Packets that came. */
  readonly packets: () => number;
}

/** A name server that takes every question and answers none. */
export async function startSilentServer(t: Scope): Promise<SilentServer> {
  const server = await startDnsScript(t, () => undefined);
  return { port: server.port, packets: () => server.asked.length };
}

/** What a scripted name server says: addresses, a code, or nothing at all. */
export type DnsReply = readonly string[] | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | undefined;

export interface DnsScript {
  readonly port: number;
  /** `name` and type of every question that came, `good.test A`. */
  readonly asked: readonly string[];
}

/** A name server that says what the test wants. */
export async function startDnsScript(
  t: Scope,
  reply: (name: string, type: 'A' | 'AAAA') => DnsReply | Promise<DnsReply>,
): Promise<DnsScript> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  let open = true;
  socket.on('message', (question, { port, address }) => {
    void (async () => {
      const { name, type, end } = readQuestion(question);
      asked.push(`${name} ${type}`);
      const said = await reply(name, type);
      if (said !== undefined && open) socket.send(answer(question.subarray(0, end), type, said), port, address);
    })();
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => {
    open = false;
    socket.close();
  });
  return { port: socket.address().port, asked };
}

/** A UDP port on 127.0.0.1 that nobody has at the moment. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

const HEADER_BYTES = 12;
const AAAA = 28;
const CODES = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 } as const;

function readQuestion(packet: Buffer): { readonly name: string; readonly type: 'A' | 'AAAA'; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = packet[at] ?? 0; length > 0; length = packet[at] ?? 0) {
    labels.push(packet.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.'), type: packet.readUInt16BE(at + 1) === AAAA ? 'AAAA' : 'A', end: at + 5 };
}

function answer(question: Buffer, type: 'A' | 'AAAA', said: NonNullable<DnsReply>): Buffer {
  const head = Buffer.from(question);
  const addresses = typeof said === 'string' ? [] : said;
  head.writeUInt16BE(0x8180 | (typeof said === 'string' ? CODES[said] : 0), 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  const records = addresses.map((address) => {
    const data = type === 'A' ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address);
    const record = Buffer.alloc(12);
    // A pointer to the question's name, the type, class IN, a TTL that nobody is to heed, the length.
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type === 'A' ? 1 : AAAA, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(3_600, 6);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, ...records]);
}

function ipv6Bytes(address: string): Buffer {
  const [left = '', right = ''] = address.split('::');
  const words = (text: string) => text.split(':').filter((word) => word !== '');
  const [before, after] = [words(left), words(right)];
  const middle = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return Buffer.concat([...before, ...middle, ...after].map((word) => Buffer.from(word.padStart(4, '0'), 'hex')));
}
