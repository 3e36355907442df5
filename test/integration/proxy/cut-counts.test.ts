import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testEngine } from '../../support/engine.ts';
import { startService } from '../../support/service.ts';
import { connectTo, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const MIB = 1024 * 1024;
const LARGEST_WRITE_BYTES = 256 * 1024;
/** In a row, with nothing moved between them. */
const LOOKS = 100;

/** The side that does not read, and the end of its connection. */
for (const side of ['candidate', 'client'] as const) {
  test(`a reset while the ${side} does not read: the record counts the write that was cut short`, async (t) => {
    const server = await startServer(t);
    const other = await startServer(t);
    const { port, service, source, closedOne } = await startService(t, { candidates: [server.address] });
    const client = await connectTo(port);
    const candidate = await server.accepted();
    const [reader, writer] = side === 'candidate' ? [candidate, client] : [client, candidate];
    reader.pause();
    writer.on('error', () => undefined);
    writer.write(Buffer.alloc(64 * MIB));
    let live = 0;
    let looks = 0;
    await eventually(() => {
      const { bytesToClient, bytesToCandidate } = service.traffic;
      const moved = bytesToClient + bytesToCandidate;
      // The thread that moves them may be kept from it for some of them: by all that this machine does beside.
      looks = moved > 0 && moved === live ? looks + 1 : 0;
      live = moved;
      return looks >= LOOKS;
    }, 'nothing moves any more');
    source.put([other.address]);
    const record = await closedOne();
    const counted = side === 'candidate' ? record.bytesToCandidate : record.bytesToClient;
    // The native engine knows what the kernel took. Node says it only of whole writes, the last of which is cut here.
    const [least, most] = testEngine().name === 'native' ? [live, live] : [live + 1, live + LARGEST_WRITE_BYTES];
    assert.ok(counted >= least && counted <= most, `${live} were counted before the reset, and ${counted} after it`);
  });
}
