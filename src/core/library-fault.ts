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
  const [first] = filesOf(error);
  return first !== undefined && SURVIVED.test(first);
}

/** The files that an error has come through, those of Node left out. */
function filesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const files = (error.stack ?? '').split('\n').map((line) => FRAME.exec(line)?.[1]);
  return files.filter((file) => file !== undefined && !file.startsWith('node:')) as string[];
}
