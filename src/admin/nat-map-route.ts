import type { NatMap } from '../core/nat-map.ts';
import type { HttpAnswer } from './http-endpoint.ts';

const PATH = /^\/services\/([\w.-]{1,63})\/natmap$/;

/** `GET /services/<name>/natmap`; undefined: it is another path. @param natMap undefined: no service has the name */
export function natMapAnswer(path: string, natMap: (service: string) => NatMap | undefined): HttpAnswer | undefined {
  const name = PATH.exec(path)?.[1];
  if (name === undefined) return undefined;
  const found = natMap(name);
  if (found !== undefined) return { status: 200, body: found };
  return { status: 404, body: 'no service has this name: /status lists the services' };
}
