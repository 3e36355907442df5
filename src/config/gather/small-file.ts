import { readTextSync } from '../../files/read-file-sync.ts';

/** Reads a whole text file. @throws the system's error, or a FileFault */
export type ReadFile = (path: string) => string;

/** The default: a regular file, or a pipe that is written to its end within 10 s, of at most 1 MiB. */
export const readSmallFile: ReadFile = (path) => readTextSync(path);
