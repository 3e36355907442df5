import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAuthority } from '../../support/certificates.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { startService } from '../../support/service.ts';
import { startEcho } from '../../support/tcp.ts';
import { accepting } from '../../support/tls-service.ts';

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

/** What testssl has to say of itself: of the OpenSSL that it was given, and of a service that speaks no HTTP. */
const OF_ITSELF = new Set(['engine_problem', 'service']);

test(
  'testssl has nothing to report of protocols, suites, preferences and vulnerabilities',
  { timeout: 300_000 },
  async (t) => {
    const authority = await createAuthority(t);
    const { caPath } = authority;
    const identity = await authority.issue('localhost', ['DNS:localhost'], { key: { type: 'rsa' } });
    const echo = await startEcho(t);
    const { port } = await startService(t, {
      candidates: [echo.address],
      accepting: accepting({ caPath, identity, clientAuth: 'none' }),
    });
    const file = join(await scratchFolder(t), 'findings.json');
    // No answer is looked for outside this machine.
    const how = [
      '--warnings',
      'batch',
      '--quiet',
      '--color',
      '0',
      '--nodns',
      'none',
      '--ip',
      '127.0.0.1',
      '--jsonfile',
      file,
    ];
    const what = ['--protocols', '--std', '--fs', '--server-preference', '--vulnerable'];
    const child = spawn('testssl', [...how, ...what, `localhost:${port}`], { stdio: ['ignore', 'ignore', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    await once(child, 'close');
    const findings = JSON.parse(await readFile(file, 'utf8')) as readonly Finding[];
    assert.ok(
      findings.some(({ id, severity }) => id === 'heartbleed' && severity === 'OK'),
      'it has looked',
    );
    const reported = findings.filter(
      ({ id, severity }) => severity !== 'OK' && severity !== 'INFO' && !OF_ITSELF.has(id),
    );
    assert.deepEqual(reported, []);
  },
);
