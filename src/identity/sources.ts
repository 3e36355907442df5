import type { LookupFunction } from 'node:net';
import {
  formatMaterialOrigin,
  type MaterialOrigin,
  type MaterialOrigins,
  type PartName,
} from '../core/material-origin.ts';
import { readFilesTogether } from './files.ts';
import { FaultCollector } from './material-error.ts';
import type { MaterialPart, MaterialParts } from './parts.ts';
import { S3Objects, type S3Timing } from './s3-objects.ts';

/** Where the parts of one set of material come from. */
export interface MaterialSource {
  /**
   * Reads every part anew.
   *
   * @throws MaterialError with every part that could not be read, `retryable` when it can pass by itself; the signal's
   * reason
   */
  read(signal: AbortSignal): Promise<MaterialParts>;
  /** Gives up what is kept between two readings. May be called twice. */
  stop(): void;
}

export interface MaterialSourceOptions {
  readonly origins: MaterialOrigins;
  /** How long all files together may take, ms. Default 10 s. */
  readonly filesDeadlineMs?: number;
  readonly s3Timing?: S3Timing;
  /** Looks the names of S3 up; default: Node's own way. */
  readonly lookup?: LookupFunction;
}

/** Files and objects of S3, in any mixture; the files are read as they were at one moment. */
export function materialSource({ origins, filesDeadlineMs, s3Timing, lookup }: MaterialSourceOptions): MaterialSource {
  const places = NAMES.flatMap((name) => origins[name] ?? []);
  const paths = places.flatMap((place) => (place.kind === 'file' ? [place.path] : []));
  const objects = places.flatMap((place) => (place.kind === 's3' ? [place] : []));
  const s3 = new S3Objects(s3Timing, lookup);
  const deadline = filesDeadlineMs === undefined ? {} : { deadlineMs: filesDeadlineMs };
  return {
    async read(signal) {
      const faults = new FaultCollector();
      const [files = [], rest = []] = await Promise.all([
        faults.settle(readFilesTogether(paths, { signal, ...deadline })),
        faults.settle(s3.readAll(objects, signal)),
      ]);
      faults.throwIfAny();
      const read = new Map([...files, ...rest].map((part) => [part.origin, part]));
      const entries = NAMES.map((name) => [name, partAt(origins[name], read)] as const);
      return Object.fromEntries(entries.filter(([, part]) => part !== undefined));
    },
    stop() {
      s3.stop();
    },
  };
}

const NAMES: readonly PartName[] = ['ca', 'cert', 'key'];

function partAt(origin: MaterialOrigin | undefined, read: ReadonlyMap<string, MaterialPart>): MaterialPart | undefined {
  return origin && read.get(formatMaterialOrigin(origin));
}
