import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import type { Address } from '../../src/core/address.ts';
import { permitAll } from '../../src/core/dial-policy.ts';
import { systemResolver } from '../../src/names/system-resolver.ts';
import type { AskableCandidate, CheckEngine, ExchangeOwner, TlsDialSettings } from '../../src/transport/engine.ts';
import { createAuthority } from '../support/certificates.ts';
import { readAll, startServer } from '../support/tcp.ts';
import { dialingTls, pemOf, startTlsServer } from '../support/tls-service.ts';
import { eventually } from '../support/wait.ts';

const MIB = 1024 * 1024;

const LIMIT = { timeout: 60_000 };

/**
 * What is owed to health checks: the part of the contract of `src/transport/engine.ts` that is `CheckEngine`, said with real
 * sockets.
 */
export function exchangeConforms(name: string, engineOf: () => CheckEngine): void {
  const check = (title: string, run: (lab: CheckLab, t: TestContext) => Promise<void>): void => {
    void test(title, LIMIT, (t) => run(new CheckLab(t, engineOf()), t));
  };

  void describe(`${name}: exchange`, () => {
    check('what is sent comes whole, and each answer has all that has come so far', async (lab, t) => {
      const server = await startServer(t);
      const candidate = await lab.reached(server.address, { preface: Buffer.from('HEAD ') });
      const heard = new HeardExchange();
      candidate.exchange({ send: Buffer.from('PING'), mostBytes: 1024, owner: heard });
      const socket = await server.accepted();
      await eventually(() => heard.sentTo(socket) === 'HEAD PING', 'it is sent');
      socket.write('PO');
      await eventually(() => heard.last === 'PO', 'the first part comes');
      socket.end('NG');
      await eventually(() => heard.over.length > 0, 'it is over');
      assert.deepEqual([heard.last, heard.over], ['PONG', ['end']]);
      candidate.reset();
    });

    check('no more than was asked for is read of an answer without end', async (lab, t) => {
      const server = await startServer(t, { onConnection: (socket) => socket.write(Buffer.alloc(16 * MIB)) });
      const candidate = await lab.reached(server.address);
      const heard = new HeardExchange();
      candidate.exchange({ send: Buffer.alloc(0), mostBytes: 10_000, owner: heard });
      await eventually(() => heard.over.length > 0, 'it is over');
      assert.deepEqual([heard.last?.length, heard.over], [10_000, ['most']]);
      const { bytesRead, bytesWritten } = server.sockets[0] ?? { bytesRead: 0, bytesWritten: 0 };
      assert.equal(bytesRead, 0);
      assert.ok(bytesWritten < 16 * MIB || (server.sockets[0]?.writableLength ?? 0) > 0, 'the rest is not taken');
      candidate.reset();
    });

    check('a reset is told by errno, behind what came before', async (lab, t) => {
      const server = await startServer(t);
      const candidate = await lab.reached(server.address);
      const heard = new HeardExchange();
      candidate.exchange({ send: Buffer.from('PING'), mostBytes: 1024, owner: heard });
      (await server.accepted()).resetAndDestroy();
      await eventually(() => heard.over.length > 0, 'it is over');
      assert.deepEqual(heard.over, ['ECONNRESET']);
      candidate.destroy();
    });

    check(
      'after reset and destroy, also inside of an answer, no call comes; the candidate sees RST and FIN',
      async (lab, t) => {
        for (const [end, seen] of [
          ['reset', 'reset'],
          ['destroy', 'eof'],
        ] as const) {
          const server = await startServer(t);
          const candidate = await lab.reached(server.address);
          const heard = new HeardExchange(() => candidate[end]());
          candidate.exchange({ send: Buffer.from('PING'), mostBytes: 1024, owner: heard });
          const socket = await server.accepted();
          const ending = readAll(socket);
          socket.write('PONG');
          assert.equal((await ending).end, seen);
          socket.destroy();
          // What is asked later is answered: by then a late call of the other would have come.
          const other = new HeardExchange();
          (await lab.reached(server.address)).exchange({ send: Buffer.from('x'), mostBytes: 8, owner: other });
          (await server.accepted()).end('late');
          await eventually(() => other.over.length > 0, 'a later one is over');
          assert.deepEqual([heard.answers, heard.over], [['PONG'], []]);
        }
      },
    );

    check('TLS: what is sent and answered goes through it', async (lab, t) => {
      const authority = await createAuthority(t);
      const { caPath } = authority;
      const identity = await authority.issue('sidecar', ['DNS:localhost']);
      const server = await startTlsServer(t, pemOf({ caPath, identity }));
      const candidate = await lab.reached(server.address, { tls: dialingTls({ caPath, identity }) });
      const heard = new HeardExchange();
      candidate.exchange({ send: Buffer.from('PING'), mostBytes: 1024, owner: heard });
      await eventually(() => heard.last === 'PING', 'the echo comes');
      candidate.reset();
    });
  });
}

/** What a test does with an engine that checks. */
class CheckLab {
  readonly #t: TestContext;
  readonly #engine: CheckEngine;

  constructor(t: TestContext, engine: CheckEngine) {
    this.#t = t;
    this.#engine = engine;
  }

  /** A candidate that has been dialed; it goes with the test. */
  reached(
    address: Address,
    how: { readonly tls?: TlsDialSettings; readonly preface?: Buffer } = {},
  ): Promise<AskableCandidate> {
    const { tls, preface } = how;
    const where = { family: 4, policy: permitAll, resolver: systemResolver(), tls } as const;
    return new Promise((resolve, reject) => {
      const dial = this.#engine.dial(
        address,
        { connectTimeoutMs: 5_000, keepAliveMs: 0, ...where },
        {
          preface,
          dialed: (candidate) => {
            this.#t.after(() => candidate.destroy());
            resolve(candidate);
          },
          dialFailed: (errno) => reject(new Error(errno)),
          faulted: reject,
        },
      );
      dial.start();
    });
  }
}

/** What a candidate has answered: all of it so far each time, and how it ended. */
export class HeardExchange implements ExchangeOwner {
  readonly answers: string[] = [];
  readonly over: string[] = [];
  readonly #onAnswer: () => void;
  readonly #sent = new Map<Socket, string>();

  constructor(onAnswer: () => void = () => undefined) {
    this.#onAnswer = onAnswer;
  }

  get last(): string | undefined {
    return this.answers.at(-1);
  }

  /** What has come at the other end so far. */
  sentTo(socket: Socket): string {
    if (!this.#sent.has(socket)) {
      this.#sent.set(socket, '');
      socket.on('data', (chunk: Buffer) =>
        this.#sent.set(socket, `${this.#sent.get(socket) ?? ''}${chunk.toString()}`),
      );
    }
    return this.#sent.get(socket) ?? '';
  }

  faulted(error: unknown): never {
    throw error;
  }

  answered(answer: Buffer): void {
    this.answers.push(answer.toString('latin1'));
    this.#onAnswer();
  }

  exchangeOver(why: string): void {
    this.over.push(why);
  }
}
