import { devNull } from 'node:os';
import { FileFault } from '../files/file-fault.ts';
import { readBounded } from '../files/read-file.ts';
import { FaultCollector, invalid } from './material-error.ts';

/** Variables of AWS that name a file. The SDK reads these files itself, without a limit, and the token's file even synchronously. */
const NAMES = [
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_CONFIG_FILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
] as const;

/**
 * Keeps the SDK from what is no file: a FIFO or a terminal would hold it for ever. One that is missing is left to the SDK,
 * which goes on to its next provider.
 *
 * @throws MaterialError
 */
export async function expectAwsFiles(env: NodeJS.ProcessEnv): Promise<void> {
  const faults = new FaultCollector();
  for (const name of NAMES) {
    const path = env[name];
    // The usual way to name no file at all is the null device.
    if (path !== undefined && path !== '' && path !== devNull) await faults.settle(expectFile(name, path));
  }
  faults.throwIfAny();
}

async function expectFile(name: string, path: string): Promise<void> {
  try {
    await readBounded(path);
  } catch (error) {
    if (error instanceof FileFault) throw invalid(name, `expected the path of a readable file, found ${error.found}`);
  }
}
