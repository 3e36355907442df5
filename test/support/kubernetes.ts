import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IJob } from 'kubernetes-models/batch/v1/Job';
import { Job } from 'kubernetes-models/batch/v1/Job';
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPod } from 'kubernetes-models/v1/Pod';
import { Pod } from 'kubernetes-models/v1/Pod';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import { parseAllDocuments } from 'yaml';
import { projectRoot } from './attache.ts';

/** What this project's manifests are made of. */
export type Resource = IConfigMap | IDeployment | IJob | IPod;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Reads manifests as the Kubernetes tools do: YAML 1.1, in which 0440 is octal and `off` a boolean.
 *
 * @throws when the text is no YAML, or has a key twice
 */
export function parseManifests(text: string): readonly Resource[] {
  const documents = parseAllDocuments(text, { version: '1.1', uniqueKeys: true });
  return [...documents].flatMap((document) => {
    const [fault] = document.errors;
    if (fault !== undefined) throw fault;
    const value = document.toJS() as Resource | null;
    return value === null ? [] : [value];
  });
}

/** Checks required fields, types and patterns. Unknown fields pass: see {@link typeErrors}. @throws naming the field */
export function validate(resource: Resource): void {
  switch (resource.kind) {
    case 'ConfigMap':
      new ConfigMap(resource).validate();
      return;
    case 'Deployment':
      new Deployment(resource).validate();
      return;
    case 'Job':
      new Job(resource).validate();
      return;
    case 'Pod':
      new Pod(resource).validate();
      return;
    default:
      throw new Error(`no model for ${JSON.stringify(resource)}`);
  }
}

const MODULES = {
  ConfigMap: 'v1/ConfigMap',
  Deployment: 'apps/v1/Deployment',
  Job: 'batch/v1/Job',
  Pod: 'v1/Pod',
} as const;

/** What the TypeScript compiler says to these resources as object literals: among others, of fields that do not exist. */
export function typeErrors(t: TestContext, resources: readonly Resource[]): string {
  // Inside the project, so that the types are found.
  const folder = mkdtempSync(join(projectRoot, 'build', 'manifests-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const imports = Object.entries(MODULES).map(
    ([kind, module]) => `import type { I${kind} } from 'kubernetes-models/${module}';`,
  );
  const values = resources.map(
    (resource, index) => `export const r${index}: I${resource.kind} = ${JSON.stringify(resource, null, 2)};`,
  );
  writeFileSync(join(folder, 'manifests.ts'), [...imports, ...values].join('\n'));
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        ...{ strict: true, noEmit: true, skipLibCheck: true, types: [] },
        ...{ target: 'ES2023', module: 'nodenext', moduleResolution: 'nodenext' },
      },
      files: ['manifests.ts'],
    }),
  );
  const { code, stdout } = run(process.execPath, [
    join(projectRoot, 'node_modules/typescript/bin/tsc'),
    ...['--pretty', 'false', '-p', folder],
  ]);
  return code === 0 ? '' : stdout || 'tsc failed';
}

/** The pod that a resource makes; undefined for what makes none. */
export function podSpecOf(resource: Resource): IPodSpec | undefined {
  switch (resource.kind) {
    case 'ConfigMap':
      return undefined;
    case 'Pod':
      return resource.spec;
    case 'Deployment':
    case 'Job':
      return resource.spec?.template.spec;
  }
}

/** A pod's attache, wherever it stands. */
export function attacheOf(pod: IPodSpec): IContainer & { readonly native: boolean } {
  const native = pod.initContainers?.find(({ name }) => name === 'attache');
  const found = native ?? pod.containers.find(({ name }) => name === 'attache');
  if (found === undefined) throw new Error('no container is named attache');
  return { ...found, native: native !== undefined };
}

/** Plain values of a container's environment. */
export function environmentOf(container: IContainer): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (container.env ?? []).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
  );
}

export function kubectl(...args: readonly string[]): Finished {
  return run(tool('kubectl'), args);
}

export function helm(...args: readonly string[]): Finished {
  return run(tool('helm'), args);
}

/** What kustomize makes of a folder. */
export function kustomize(folder: string): readonly Resource[] {
  const { code, stdout, stderr } = kubectl('kustomize', folder);
  if (code !== 0) throw new Error(`kubectl kustomize ${folder}: ${stderr}`);
  return parseManifests(stdout);
}

function tool(name: string): string {
  const folder = process.env['KUBERNETES_TOOLS'];
  if (folder === undefined) throw new Error('KUBERNETES_TOOLS is not set: use npm run test:kubernetes');
  return join(folder, name);
}

function run(command: string, args: readonly string[]): Finished {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: projectRoot,
    encoding: 'utf8',
    timeout: 100_000,
  });
  if (error !== undefined) throw error;
  return { code: status, stdout, stderr };
}
