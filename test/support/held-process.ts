import { open } from 'node:fs';
import { leave } from '../../src/app/leave.ts';

/** A process one of whose threads waits for ever, and that leaves with 3 all the same. */
open(process.argv[2] ?? '', 'r', () => undefined);
await leave(3);
