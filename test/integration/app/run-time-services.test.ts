import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import type { StatusReport } from '../../../src/admin/status-report.ts';
import { parseCommand } from '../../../src/config/command.ts';
import { replaceServices } from '../../../src/config/replace-services.ts';
import { Ambassador, loadConfig } from '../../../src/index.ts';
import { runAttache, startAttache } from '../../support/attache.ts';
import { httpAsk, httpPort } from '../../support/http.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { ask, freePort, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

async function start(t: TestContext, env: Readonly<Record<string, string>>) {
  const attache = startAttache(t, {
    env: { HTTP_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0', ON_CHANGE: 'keep', ...env },
  });
  const [http, admin] = [await httpPort(attache, 'health'), await httpPort(attache, 'admin')];
  const own = { HTTP_ADDR: `127.0.0.1:${http}`, ADMIN_ADDR: `127.0.0.1:${admin}` };
  return {
    attache,
    http,
    admin,
    report: async () => (await httpAsk(http, '/status')).json() as StatusReport,
    run: (...args: readonly string[]) => runAttache(t, { args, env: own }),
  };
}

/** PUT with a body, as curl would send it. */
function put(port: number, body: string, headers: Readonly<Record<string, string>> = {}): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: '127.0.0.1',
      method: 'PUT',
      path: '/services',
      agent: false,
      timeout: 10_000,
      headers,
    };
    const asked = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve([response.statusCode ?? 0, text]));
    });
    asked.on('error', reject).end(body);
  });
}

const faultsIn = (text: string) => (JSON.parse(text) as { faults: readonly string[] }).faults.join('\n');

suite('services at run time', { timeout: 120_000 }, () => {
  test('PUT /services takes a list over, GET shows it, and what is shown may be put again', async (t) => {
    const [one, two] = [await startNamed(t, 'one'), await startNamed(t, 'two')];
    const [p, q] = [await freePort(), await freePort()];
    const { attache, admin, report } = await start(t, { SRC_A: `127.0.0.1:${p}`, DST_A: `127.0.0.1:${one.port}` });
    await attache.port('a');
    assert.equal((await report()).configuration, undefined);
    const list = [
      { name: 'a', src: `127.0.0.1:${p}`, dst: `127.0.0.1:${two.port}` },
      { name: 'b', src: `127.0.0.1:${q}`, dst: `127.0.0.1:${one.port}`, idle_timeout: '5m' },
    ];
    const [status, text] = await put(admin, JSON.stringify(list));
    assert.deepEqual([status, JSON.parse(text)], [200, { added: ['b'], changed: ['a'], removed: [] }]);
    await eventually(async () => (await ask(p)) === 'two', 'the new candidate');
    assert.equal(await ask(q), 'one');
    const shown = await httpAsk(admin, '/services');
    const services = shown.json() as { name: string; idle_timeout: string }[];
    assert.deepEqual(
      services.map(({ name, idle_timeout }) => [name, idle_timeout]),
      [
        ['a', '0'],
        ['b', '5m'],
      ],
    );
    const again = await put(admin, shown.body);
    assert.deepEqual([again[0], JSON.parse(again[1])], [200, { added: [], changed: [], removed: [] }], again[1]);
    const { configuration } = await report();
    assert.equal(configuration?.source, 'PUT /services');
    const line = await attache.line(({ msg }) => msg === 'services changed');
    assert.deepEqual([line['source'], line['added'], line['changed']], ['PUT /services', ['b'], ['a']]);
    assert.deepEqual(await put(admin, '[]').then(([code]) => code), 200);
    await assert.rejects(ask(q).then((answer) => assert.notEqual(answer, '')));
  });

  test('a list with faults changes nothing: every fault is told, in status, metrics and log too', async (t) => {
    const server = await startNamed(t, 'hello');
    const { attache, admin, http, report, run } = await start(t, {
      SRC: '127.0.0.1:0',
      DST: `127.0.0.1:${server.port}`,
    });
    const port = await attache.port();
    const [status, text] = await put(admin, '[{"name":"a","src":"6379","dst":"x:0"},{"name":"a","http_addr":":1"}]');
    assert.equal(status, 400);
    const faults = faultsIn(text);
    assert.match(faults, /services\[0\]\.src: expected/);
    assert.match(faults, /services\[0\]\.dst: expected/);
    assert.match(faults, /services\[1\]\.http_addr: expected a setting of a service/);
    assert.match(faults, /services\[1\]\.name: expected a name of its own/);
    assert.equal((await put(admin, 'no JSON'))[0], 400);
    assert.equal(await ask(port), 'hello');
    const { configuration } = await report();
    assert.equal(configuration?.source, 'start');
    assert.equal(configuration.rejections, 2);
    assert.match(configuration.rejected?.faults.join() ?? '', /expected a JSON array of services/);
    assert.match(
      (await run('status')).stdout,
      /REJECTED, .* ago: services from PUT \/services\n {2}services: expected/,
    );
    assert.match((await httpAsk(http, '/metrics')).body, /^attache_configuration_rejected_total 2$/m);
    await attache.line(({ msg }) => msg?.startsWith('services rejected') === true);
  });

  test('what comes from outside may not do what the start does not', async (t) => {
    const folder = await scratchFolder(t);
    const { admin } = await start(t, {
      SRC: `unix:${folder}/own.sock`,
      DST: 'unix:/run/own.sock',
      DSC: 'http://127.0.0.1:1',
    });
    const refused = async (service: object): Promise<string> => {
      const [status, text] = await put(admin, JSON.stringify([{ name: 'a', src: ':16379', dst: 'a:1', ...service }]));
      assert.equal(status, 400, text);
      return faultsIn(text);
    };
    assert.match(await refused({ src: ':80' }), /services\[0\]\.src: expected a port from 1024 on/);
    assert.match(await refused({ src: 'unix:/tmp/x.sock' }), /\.src: expected a port, or a Unix socket that/);
    assert.match(await refused({ dst: 'unix:/var/run/docker.sock' }), /\.dst: expected host:port, or a Unix socket of/);
    assert.match(
      await refused({ dst: '169.254.169.254:80' }),
      /\.dst: expected an address that may be dialed.*link-local/,
    );
    assert.match(
      await refused({ health_check: 'http://169.254.169.254/latest' }),
      /\.health_check: expected an address that may be dialed/,
    );
    assert.match(
      await refused({ tls_mode: 'client', tls_certpath: '/etc/ssl/private' }),
      /\.tls_certpath: expected files in a folder of CONFIG_ALLOW_PATHS, or of the TLS settings of the start, got "\/etc\/ssl\/private"/,
    );
    assert.match(
      await refused({ dst: undefined, srv: '/srv/a', dsc: 'http://elsewhere:2379' }),
      /\.dsc: expected a registry that the settings of the start name/,
    );
    assert.match(await refused({ health_check: 'redis', health_password: '(hidden)' }), /\.health_password: expected/);
    // What the start does may be said again.
    const same = { name: 'default', src: `unix:${folder}/own.sock`, dst: 'unix:/run/own.sock' };
    assert.equal((await put(admin, JSON.stringify([same])))[0], 200);
  });

  test('a name that leads to a link-local address is not dialed for a service from outside', async (t) => {
    const ports = [await freePort(), await freePort()];
    const env = {
      SRC: `127.0.0.1:${ports[0] ?? 0}`,
      DST: '127.0.0.1:1',
      // The check of the service that stays is no other than before.
      HEALTH_CHECK: 'tcp',
      HEALTH_INTERVAL: '1h',
    };
    const config = loadConfig({ env });
    const resolver = { resolve: (host: string) => Promise.resolve([host === 'meta.test' ? '169.254.169.254' : host]) };
    const ambassador = new Ambassador(config, { resolver });
    t.after(() => ambassador.closeNow());
    await ambassador.start();
    const refusals: (string | undefined)[] = [];
    ambassador.on('dial-failed', ({ service, refusal }) => refusals.push(`${service}: ${refusal}`));
    const list = ['default', 'new'].map((name, index) => {
      return { name, src: `127.0.0.1:${ports[index] ?? 0}`, dst: 'meta.test:80' };
    });
    const services = await replaceServices({ env, json: JSON.stringify(list), origin: 'services', start: config });
    await ambassador.replaceServices(services, 'PUT /services');
    for (const port of ports) assert.equal(await ask(port), '');
    for (const name of ['default', 'new']) {
      assert.match(refusals.find((one) => one?.startsWith(`${name}:`) === true) ?? '', /169\.254\.169\.254|link-local/);
      const health = () => ambassador.status.services.find((one) => one.name === name)?.candidateStates[0]?.health;
      await eventually(() => health()?.state === 'unhealthy', 'its check is refused, too');
    }
  });

  test('only for programs: no web page, no long body, no body elsewhere', async (t) => {
    const { admin, http } = await start(t, { SRC: '127.0.0.1:0', DST: '127.0.0.1:1' });
    assert.equal((await put(admin, '[]', { origin: 'http://evil.example' }))[0], 403);
    assert.equal((await put(admin, '[]', { host: 'evil.example' }))[0], 403);
    assert.equal((await put(admin, ' '.repeat(1_100_000)).catch(() => [413]))[0], 413);
    assert.equal((await put(http, '[]'))[0], 413);
    assert.equal((await httpAsk(http, '/services')).status, 404);
  });

  test('attache apply takes a file over, and prints what it did or every fault', async (t) => {
    const server = await startNamed(t, 'hello');
    const { run } = await start(t, { SRC: '127.0.0.1:0', DST: '127.0.0.1:1' });
    const file = join(await scratchFolder(t), 'services.json');
    const src = `127.0.0.1:${await freePort()}`;
    writeFileSync(file, JSON.stringify([{ name: 'web', src, dst: `127.0.0.1:${server.port}` }]));
    const applied = await run('apply', file);
    assert.deepEqual([applied.code, applied.stdout], [0, 'added: web\nremoved: default\n'], applied.stderr);
    assert.equal(await ask(Number(src.split(':')[1])), 'hello');
    assert.deepEqual((await run('apply', file)).stdout, 'nothing has changed\n');
    writeFileSync(file, '[{"name":"web","src":"80"}]');
    const refused = await run('apply', file);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^services\[0\]\.src: expected/);
    const stdin = parseCommand(['apply', '-']);
    assert.equal(stdin.kind === 'apply' && stdin.file, '-');
    const missing = await run('apply', `${file}.not`);
    assert.equal(missing.code, 78);
    assert.match(missing.stderr, /apply: expected the path of a readable file/);
  });

  test('an edit of SERVICES_FILE is trusted like a restart: it may do what PUT /services may not', async (t) => {
    const folder = await scratchFolder(t);
    const file = join(folder, 'services.json');
    writeFileSync(file, '[{"name":"a","src":"127.0.0.1:0","dst":"127.0.0.1:1"}]');
    const { attache, admin, report } = await start(t, { SERVICES_FILE: file });
    await attache.port('a');
    const list = JSON.stringify([{ name: 'b', src: `unix:${folder}/b.sock`, dst: 'unix:/run/b.sock' }]);
    assert.equal((await put(admin, list))[0], 400);
    writeFileSync(`${file}.new`, list);
    renameSync(`${file}.new`, file);
    await attache.line(({ msg, source }) => msg === 'services changed' && source === 'SERVICES_FILE');
    const { services, configuration } = await report();
    assert.deepEqual([services.map(({ name }) => name), configuration?.rejected], [['b'], undefined]);
    assert.equal((await put(admin, list))[0], 400, 'the limits are those of the start');
  });

  test('SERVICES_FILE is followed by its content: what is good is taken over, what is not changes nothing', async (t) => {
    const [one, two] = [await startNamed(t, 'one'), await startNamed(t, 'two')];
    const file = join(await scratchFolder(t), 'services.json');
    const port = await freePort();
    const write = (text: string) => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    };
    const listOf = (to: number) => JSON.stringify([{ name: 'a', src: `127.0.0.1:${port}`, dst: `127.0.0.1:${to}` }]);
    write(listOf(one.port));
    const { attache, report } = await start(t, { SERVICES_FILE: file });
    await attache.port('a');
    assert.equal(await ask(port), 'one');
    write(listOf(two.port));
    await eventually(async () => (await ask(port)) === 'two', 'the file is followed', 20_000);
    assert.equal((await report()).configuration?.source, 'SERVICES_FILE');
    write('[{"name":"a"');
    await attache.line(({ msg }) => msg?.startsWith('services rejected') === true);
    assert.equal(await ask(port), 'two');
    assert.match((await report()).configuration?.rejected?.faults.join() ?? '', /SERVICES_FILE: expected a JSON array/);
    write(listOf(one.port));
    await eventually(async () => (await ask(port)) === 'one', 'it is right again', 20_000);
    assert.equal((await report()).configuration?.rejected, undefined);
  });
});
