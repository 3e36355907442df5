import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { beforeEach, suite, test } from 'node:test';
import { inspect } from 'node:util';
import {
  learnFrom,
  unlearn,
  writeDirectly,
  writesAsKnown,
  type Writer,
} from '../../../../src/transport/node/direct-write.ts';

const CHUNK = Buffer.from('x');

class Request {
  getAsyncId(): unknown {
    return -1;
  }
}

type Write = (this: unknown, ...args: unknown[]) => unknown;

interface Stub {
  readonly socket: Socket;
  readonly handle: { writeBuffer: Write };
}

/** A socket over a handle of our making; the method is its class's, as Node's is. */
function stub(writeBuffer: unknown): Stub {
  const handle = Object.create({ writeBuffer }) as Stub['handle'];
  return { socket: { _handle: handle, connecting: false } as unknown as Socket, handle };
}

/** What a write is told to that is refused. */
function refusals(): { readonly writer: Writer; readonly told: number[] } {
  const told: number[] = [];
  const faulted = (error: unknown): never => assert.fail(String(error));
  return { writer: { written: () => undefined, refused: (status) => told.push(status), faulted }, told };
}

/** Has learnt from a Node as known. */
function learnt(): void {
  const { socket, handle } = stub(() => 0);
  learnFrom(socket);
  handle.writeBuffer(new Request(), CHUNK);
  assert.ok(writesAsKnown());
}

suite('writing directly', () => {
  beforeEach(unlearn);

  test('without anything learnt nothing is written', () => {
    const { socket } = stub(() => assert.fail('it is written to'));
    assert.equal(writeDirectly(socket, CHUNK, refusals().writer), 'unable');
  });

  test("learning leaves Node's own write as it is: receiver, arguments, answer, and once", () => {
    const calls: unknown[] = [];
    const answer = { some: 'request' };
    const { socket, handle } = stub(function (this: unknown, ...args: unknown[]) {
      calls.push([this, args]);
      return answer;
    });
    const { writeBuffer } = handle;
    learnFrom(socket);
    assert.equal(handle.writeBuffer(null, CHUNK, 'more'), answer);
    assert.deepEqual(calls, [[handle, [null, CHUNK, 'more']]]);
    assert.equal(handle.writeBuffer, writeBuffer);
    assert.equal(writesAsKnown(), false);
  });

  test("what Node's own write throws is Node's to hear of, and nothing is learnt", () => {
    const { socket, handle } = stub(() => {
      throw new TypeError('of the handle');
    });
    learnFrom(socket);
    assert.throws(() => handle.writeBuffer(new Request(), CHUNK), /of the handle/);
    assert.equal(writesAsKnown(), false);
  });

  for (const [what, request] of [
    ['null', null],
    ['nothing', undefined],
    ['a number', 7],
    ['an object without an id', {}],
    ['one whose id is no number', { getAsyncId: () => 'one' }],
    [
      'one whose id cannot be asked for',
      {
        getAsyncId: () => {
          throw new Error('no id');
        },
      },
    ],
    [
      'one that answers nothing that is asked',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no answer');
          },
        },
      ),
    ],
  ] as const) {
    test(`nothing is learnt from a write whose request is ${what}`, () => {
      const { socket, handle } = stub(() => 0);
      learnFrom(socket);
      assert.equal(handle.writeBuffer(request, CHUNK), 0);
      assert.equal(writesAsKnown(), false);
      assert.equal(writeDirectly(socket, CHUNK, refusals().writer), 'unable');
    });
  }

  for (const answer of [undefined, null, 'done', {}, 7, -22, NaN]) {
    test(`nothing is learnt from a write that answers ${inspect(answer)}`, () => {
      const { socket, handle } = stub(() => answer);
      learnFrom(socket);
      assert.ok(Object.is(handle.writeBuffer(new Request(), CHUNK), answer));
      assert.equal(writesAsKnown(), false);
    });
  }

  test('a handle without the method, and a socket without a handle, are left alone', () => {
    for (const handle of [undefined, null, {}, { writeBuffer: 'no method' }]) {
      const socket = { _handle: handle, connecting: false } as unknown as Socket;
      learnFrom(socket);
      learnt();
      assert.equal(writeDirectly(socket, CHUNK, refusals().writer), 'unable');
    }
  });

  for (const [what, write] of [
    [
      'throws',
      () => {
        throw new Error('of the handle');
      },
    ],
    ['answers nothing', () => undefined],
    ['answers nonsense', () => ({})],
    ['answers a number that is none', () => NaN],
    ['answers more than was known', () => 5],
    [
      'makes nonsense of its request',
      (request: unknown) => {
        (request as Request).getAsyncId = () => 'one';
        return 0;
      },
    ],
  ] as const) {
    test(`a handle that ${what} fails that write, and nothing is written directly any more`, () => {
      learnt();
      const { writer, told } = refusals();
      const { socket } = stub(write);
      assert.equal(writeDirectly(socket, CHUNK, writer), 'failed');
      assert.deepEqual(told, [-5]);
      assert.equal(writesAsKnown(), false);
      assert.equal(writeDirectly(stub(() => 0).socket, CHUNK, writer), 'unable');
    });
  }

  test('a request that cannot be made any more fails nothing: the write goes the usual way', () => {
    let made = 0;
    class Once {
      constructor() {
        made += 1;
        if (made > 1) throw new Error('no more');
      }

      getAsyncId(): number {
        return 5;
      }
    }
    const { socket, handle } = stub(() => 0);
    learnFrom(socket);
    handle.writeBuffer(new Once(), CHUNK);
    assert.ok(writesAsKnown());
    assert.equal(writeDirectly(socket, CHUNK, refusals().writer), 'unable');
    assert.equal(writesAsKnown(), false);
  });
});
