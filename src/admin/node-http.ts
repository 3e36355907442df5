import type * as http from 'node:http';

/**
 * `node:http`, but not by `import`: that takes all that it can export, and on Node 24 a WebSocket client is among it, which
 * costs every start 20 ms and 13 MB.
 */
export function nodeHttp(): typeof http {
  return process.getBuiltinModule('node:http');
}
