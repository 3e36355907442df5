import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { ask, connectTo, freePort, startNamed, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };

test(
  'MAX_FAILS and FAIL_TIMEOUT: one warning when a candidate is ejected, none while it stays bad, one line when it is back',
  TIMEOUT,
  async (t) => {
    const dead = await freePort();
    const live = await startNamed(t, 'live');
    const attache = startAttache(t, {
      env: {
        SRC: '127.0.0.1:0',
        DST: `127.0.0.1:${dead},127.0.0.1:${live.port}`,
        MAX_FAILS: '2',
        FAIL_TIMEOUT: '20ms',
        LOG_LEVEL: 'debug',
      },
    });
    const port = await attache.port();
    const said = (msg: string) => attache.lines.filter((line) => line.msg === msg);
    assert.equal(await ask(port), 'live');
    assert.equal(said('candidate ejected').length, 0);
    // Ejected, and then tried again and again in vain.
    await eventually(async () => {
      assert.equal(await ask(port), 'live');
      return said('candidate still ejected').length >= 3;
    }, 'three probes that failed');
    const [warning = assert.fail(), ...more] = said('candidate ejected');
    assert.deepEqual(more, []);
    assert.deepEqual(
      [
        warning['level'],
        warning['service'],
        warning['candidate'],
        warning['errno'],
        warning['fails'],
        warning['forMs'],
      ],
      ['warn', 'default', `127.0.0.1:${dead}`, 'ECONNREFUSED', 2, 20],
    );
    assert.equal(said('candidate still ejected')[0]?.['level'], 'debug');
    await startNamed(t, 'back', dead);
    await eventually(async () => (await ask(port)) === 'back', 'the first one is used again');
    const recovered = await attache.line(({ msg }) => msg === 'candidate recovered');
    assert.deepEqual([recovered['level'], recovered['candidate']], ['info', `127.0.0.1:${dead}`]);
  },
);

for (const balance of ['least-connections', 'random']) {
  test(`BALANCE=${balance} spreads connections that stay open evenly over two candidates`, TIMEOUT, async (t) => {
    const servers = [await startServer(t), await startServer(t)];
    const dst = servers.map(({ port }) => `127.0.0.1:${port}`).join(',');
    const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: dst, BALANCE: balance } });
    const port = await attache.port();
    const counts = () => servers.map(({ sockets }) => sockets.length);
    const clients = await Promise.all(Array.from({ length: 20 }, () => connectTo(port)));
    await eventually(() => counts().reduce((sum, count) => sum + count) === 20, 'all are carried');
    assert.deepEqual(counts(), [10, 10]);
    for (const client of clients) client.destroy();
  });

  test(
    `BALANCE=${balance} with RETRIES=1 and one of two dead: every client is answered, and soon by the live one alone`,
    TIMEOUT,
    async (t) => {
      const live = await startNamed(t, 'live');
      const dst = `127.0.0.1:${await freePort()},127.0.0.1:${live.port}`;
      const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: dst, BALANCE: balance, RETRIES: '1' } });
      const port = await attache.port();
      // Three failures eject it; a random one may take its time to draw it three times.
      await eventually(async () => {
        assert.equal(await ask(port), 'live');
        return attache.lines.some(({ msg }) => msg === 'candidate ejected');
      }, 'the dead one is ejected');
      for (let i = 0; i < 10; i += 1) assert.equal(await ask(port), 'live');
    },
  );
}
