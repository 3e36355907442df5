/**
 * Libraries that run beside the proxy, never on the path of a connection, and what they use themselves: what they let
 * escape must not end it.
 */
const SURVIVED =
  /[\\/]node_modules[\\/](?:etcd3|cockatiel|bignumber\.js|@grpc|@js-sdsl|@?protobufjs|long|lodash\.camelcase|@aws-sdk|@smithy)[\\/]/;
const FRAME = /^\s+at .*?(?:\(|file:\/\/|\s)((?:file:\/\/)?[\\/].+?|node:[^)]+):\d+:\d+\)?$/;

/**
 * Whether an uncaught error began in a library that attache survives: the first frame of its stack that is not Node's own
 * is that library's.
 */
export function isLibraryFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  for (const line of (error.stack ?? '').split('\n')) {
    const file = FRAME.exec(line)?.[1];
    if (file === undefined || file.startsWith('node:')) continue;
    return SURVIVED.test(file);
  }
  return false;
}
