import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../support/attache.ts';

interface Bom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly version: string; readonly purl: string } };
  readonly components: readonly { readonly name: string; readonly version: string; readonly licenses?: unknown }[];
}

test('the SBOM lists each package of the image, with its licence, and none of development', () => {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'sbom'], {
    cwd: projectRoot,
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(status, 0, stderr);
  const bom = JSON.parse(stdout) as Bom;
  assert.equal(bom.bomFormat, 'CycloneDX');
  const about = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    version: string;
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
  };
  assert.equal(bom.metadata.component.version, about.version);
  assert.equal(bom.metadata.component.purl, `pkg:npm/attache@${about.version}`);
  const names = new Set(bom.components.map(({ name }) => name));
  const clients = ['@aws-sdk/client-s3', '@aws-sdk/credential-providers', 'etcd3'];
  assert.deepEqual(
    Object.keys(about.peerDependencies).filter((name) => !name.startsWith('@types/')),
    clients,
  );
  const shipped = [...Object.keys(about.dependencies), ...clients];
  for (const name of shipped) assert.ok(names.has(name), name);
  for (const name of Object.keys(about.devDependencies).filter((one) => !shipped.includes(one)))
    assert.ok(!names.has(name), name);
  assert.deepEqual(
    bom.components.filter(({ licenses = [] }) => (licenses as readonly unknown[]).length === 0),
    [],
  );
});
