import { fileURLToPath, pathToFileURL } from 'node:url';
import type { DirectoryBackend } from '../backends.ts';
import type { Reading, Registry } from '../registry.ts';
import { readServiceDirectory } from '../service-directory.ts';

export const directoryRegistry: Registry<DirectoryBackend, object> = {
  kind: 'directory',
  title: 'a directory',
  schemes: ['file'],
  forms: ['file:///directory'],
  isListOfHosts: false,
  readUrl,
  refuseUrls: (urls) => (urls.length === 1 ? undefined : 'one file:// directory'),
  readService: readServiceDirectory,
  settings: [],
  backend: ([url = '']) => ({ kind: 'directory', root: rootOf(url) }),
  urls: ({ root }) => [pathToFileURL(root).href],
  async load({ root }) {
    const { directorySource } = await import('./source.ts');
    return (options) => directorySource({ ...options, root });
  },
  async loadText({ root }) {
    const { fileText } = await import('./text.ts');
    return (options) => fileText({ ...options, root });
  },
};

function readUrl(url: string): Reading {
  const fault: Reading = { ok: false, reason: 'file:// and an absolute path, as in file:///srv' };
  if (!/^file:\/\/\//i.test(url) || /[?#\0]/.test(url)) return fault;
  try {
    return { ok: true, value: pathToFileURL(rootOf(url)).href };
  } catch {
    return fault;
  }
}

/** @throws TypeError when it is the URL of no file of this machine */
function rootOf(url: string): string {
  return fileURLToPath(url).replace(/(.)\/+$/, '$1');
}
