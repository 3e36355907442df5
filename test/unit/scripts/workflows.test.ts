import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { projectRoot } from '../../support/attache.ts';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'runs-on'?: string;
  readonly 'timeout-minutes'?: number;
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = join(projectRoot, '.github', 'workflows');
const files = readdirSync(folder).sort();
const texts = new Map(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));

test('there are workflows for tests and for the image', () => {
  assert.deepEqual(files, ['image.yml', 'test.yml']);
});

for (const [file, text] of texts) {
  const workflow = parse(text) as Workflow;
  const jobs = Object.entries(workflow.jobs);
  const steps = jobs.flatMap(([, job]) => job.steps ?? []);

  test(`${file}: reads the repository, and writes nothing but the packages of the image`, () => {
    assert.deepEqual(workflow.permissions, { contents: 'read' });
    for (const [name, { permissions = {} }] of jobs) {
      const written = Object.entries(permissions).filter(([, access]) => access !== 'read');
      assert.deepEqual(written, name === 'image' ? [['packages', 'write']] : []);
    }
  });

  test(`${file}: every action is pinned by its digest, with its version beside it`, () => {
    const used = [...text.matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, value = '']) => value);
    assert.equal(
      used.length,
      [...steps, ...Object.values(workflow.jobs)].filter(({ uses }) => uses !== undefined).length,
    );
    for (const use of used.filter((value) => !value.startsWith('./'))) {
      assert.match(use, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+[.]\d+[.]\d+$/);
    }
  });

  test(`${file}: no secret is used, nothing of an event is put into a script, and the token is not left behind`, () => {
    assert.doesNotMatch(text, /secrets[.[]|pull_request_target/);
    for (const { run = '', uses = '', with: given = {} } of steps) {
      assert.doesNotMatch(run, /\$\{\{/);
      if (uses.startsWith('actions/checkout@')) assert.equal(given['persist-credentials'], false);
    }
  });

  test(`${file}: every job has a fixed system and a time limit, and what it runs exists`, () => {
    const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { scripts: object };
    for (const [, job] of jobs) {
      if (job.uses !== undefined) {
        assert.ok(texts.has(job.uses.replace('./.github/workflows/', '')), job.uses);
        continue;
      }
      assert.match(job['runs-on'] ?? '', /^ubuntu-\d+[.]\d+$/);
      assert.ok((job['timeout-minutes'] ?? 0) > 0);
      assert.ok((job.steps ?? []).length > 0);
    }
    const named = steps.flatMap(({ run = '' }) => [...run.matchAll(/npm run (?:--silent )?([\w:]+)/g)]);
    for (const [, script = ''] of named) assert.ok(script in scripts, script);
  });
}

test('the image is built on a tag alone, for both architectures, with provenance and SBOM', () => {
  const { on, jobs } = parse(texts.get('image.yml') ?? '') as Workflow;
  assert.deepEqual(on, { push: { tags: ['v[0-9]+.[0-9]+.[0-9]+'] } });
  const build = jobs['image']?.steps?.find(({ uses }) => uses?.startsWith('docker/build-push-action@'))?.with ?? {};
  assert.equal(build['platforms'], 'linux/amd64,linux/arm64');
  assert.equal(build['provenance'], 'mode=max');
  assert.equal(build['sbom'], true);
  const dockerfile = readFileSync(join(projectRoot, 'Dockerfile'), 'utf8');
  for (const line of String(build['build-args']).trim().split('\n')) {
    assert.match(dockerfile, new RegExp(`^ARG ${line.split('=')[0] ?? ''}=`, 'm'));
  }
});
