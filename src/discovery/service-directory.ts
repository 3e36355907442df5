import type { Reading } from './registry.ts';

/** A service's directory, normalised to one leading slash and no trailing one. */
export function readServiceDirectory(text: string): Reading {
  const directory = `/${text.replace(/^\//, '').replace(/\/$/, '')}`;
  if (directory === '/') return { ok: false, reason: 'a directory such as /srv/redis/debug' };
  // eslint-disable-next-line no-control-regex -- control characters are what is being refused
  if (/[\s\u0000-\u001f\u007f]/.test(directory)) {
    return { ok: false, reason: 'a directory without spaces or control characters' };
  }
  // In a directory registry `..` would leave the root that DSC names.
  if (directory.slice(1).split('/').some(isNoName)) {
    return { ok: false, reason: 'a directory without empty, "." or ".." parts' };
  }
  return { ok: true, value: directory };
}

function isNoName(part: string): boolean {
  return part === '' || part === '.' || part === '..';
}
