import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { HttpAdmission } from '../../../src/admin/http-admission.ts';

/** As far as places look at a socket. */
function socketFrom(remoteAddress: string | undefined): Socket {
  const socket = Object.assign(new EventEmitter(), {
    remoteAddress,
    destroyed: false,
    destroy() {
      socket.destroyed = true;
      socket.emit('close');
    },
  });
  return socket as unknown as Socket;
}

function enter(places: HttpAdmission, count: number, from: (index: number) => string | undefined): readonly Socket[] {
  return Array.from({ length: count }, (_, index) => {
    const socket = socketFrom(from(index));
    places.enter(socket);
    return socket;
  });
}

const gone = (sockets: readonly Socket[]) => sockets.filter((socket) => socket.destroyed).length;

async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i += 1) await turn();
}

test('of one client silent connections the oldest give way beyond 96', async () => {
  const places = new HttpAdmission();
  const first = enter(places, 96, () => '127.0.0.1');
  await turns();
  assert.equal(gone(first), 0);
  const more = enter(places, 10, () => '127.0.0.1');
  await turns();
  assert.deepEqual([gone(first), gone(more), places.size], [10, 0, 96]);
  assert.ok(first.slice(0, 10).every((socket) => socket.destroyed));
});

test('the client with most connections loses one, not the one that has been silent for longest', async () => {
  const places = new HttpAdmission();
  const [lone] = enter(places, 1, () => '10.0.0.9');
  const crowd = enter(places, 200, () => '10.0.0.1');
  await turns();
  assert.deepEqual([lone?.destroyed, gone(crowd)], [false, 105]);
});

test('nobody gives way before the turn of the event loop in which it can be heard', async () => {
  const places = new HttpAdmission();
  const old = enter(places, 96, (index) => `10.0.0.${index}`);
  await turns();
  const probe = socketFrom('127.0.0.1');
  places.enter(probe);
  const flood = enter(places, 150, (index) => `10.1.0.${index}`);
  assert.equal(probe.destroyed, false);
  await turn();
  // Its request is read in the next turn.
  assert.equal(probe.destroyed, false);
  places.answering(probe);
  await turns();
  assert.equal(probe.destroyed, false);
  assert.deepEqual([gone(old), gone(flood)], [96, 54]);
});

test('clients elsewhere leave 16 places to this machine, and silent ones 32 to those that have asked', async () => {
  const places = new HttpAdmission();
  const readers = enter(places, 128, (index) => `10.0.0.${index}`);
  for (const socket of readers) {
    places.answering(socket);
    places.taking(socket);
  }
  await turns();
  assert.equal(gone(readers), 16);
  const probes = enter(places, 16, () => '127.0.0.1');
  await turns();
  assert.deepEqual([gone(readers), gone(probes), places.size], [16, 0, 128]);
});

test('an answer that is looked for or goes on keeps its place; one that only waits for its reader does not', async () => {
  const places = new HttpAdmission();
  const streams = enter(places, 16, () => '10.0.0.1');
  const answering = enter(places, 40, () => '10.0.0.1');
  const taking = enter(places, 100, () => '10.0.0.1');
  for (const socket of [...streams, ...answering, ...taking]) places.answering(socket);
  for (const socket of streams) places.streaming(socket);
  for (const socket of taking) places.taking(socket);
  await turns();
  assert.deepEqual([gone(streams), gone(answering), gone(taking)], [0, 0, 44]);
  for (const socket of [...streams, ...answering, ...taking]) socket.destroy();
});

test('IPv6 clients of one /64 are one client, mapped IPv4 is IPv4, and a Unix socket is this machine', async () => {
  const places = new HttpAdmission();
  const lone = enter(places, 1, () => '2001:db8:0:2::1');
  const crowd = enter(places, 120, (index) => `2001:db8:0:1::${index.toString(16)}`);
  const mapped = enter(places, 3, (index) => ['::ffff:127.0.0.1', undefined, '127.0.0.1'][index]);
  await turns();
  assert.deepEqual([gone(lone), gone(crowd), gone(mapped)], [0, 28, 0]);
});

test('a crowd that comes within one turn is bounded, and who finds all places busy is turned away', async () => {
  const places = new HttpAdmission();
  const busy = enter(places, 256, () => '10.0.0.1');
  for (const socket of busy) places.streaming(socket);
  await turns();
  const late = enter(places, 3, () => '10.0.0.2');
  assert.deepEqual([gone(busy), gone(late), places.size], [0, 3, 256]);
  for (const socket of busy) socket.destroy();
  assert.equal(places.size, 0);
});

test('of a crowd that waits for answers the oldest give way to those who have just come', async () => {
  const places = new HttpAdmission();
  const busy = enter(places, 256, () => '10.0.0.1');
  for (const socket of busy) places.answering(socket);
  await turns();
  const late = enter(places, 3, () => '10.0.0.2');
  assert.deepEqual([gone(busy), gone(late), places.size], [144, 0, 115]);
  for (const socket of busy) socket.destroy();
});

test('nothing is left of those that have gone, and nothing turns while there is room', async () => {
  const places = new HttpAdmission();
  const sockets = enter(places, 100, () => '127.0.0.1');
  for (const socket of sockets) places.answering(socket);
  for (const socket of sockets) socket.destroy();
  await turns();
  assert.equal(places.size, 0);
  assert.ok(!process.getActiveResourcesInfo().includes('Immediate'));
});
