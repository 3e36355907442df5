/** A client that only some settings need. Its packages are optional peers of attache. */
export type OptionalClient = 'etcd' | 's3';

const PACKAGES: Readonly<Record<OptionalClient, readonly string[]>> = {
  etcd: ['etcd3'],
  s3: ['@aws-sdk/client-s3', '@aws-sdk/credential-providers'],
};

/**
 * What is missing for a client, behind the name of the setting that asks for it, with the command that installs it;
 * undefined when nothing is.
 */
export function missingFor(client: OptionalClient): string | undefined {
  const missing = PACKAGES[client].filter((name) => !isInstalled(name));
  if (missing.length === 0) return undefined;
  const [what, are] = missing.length === 1 ? ['package', 'is'] : ['packages', 'are'];
  return `needs the ${what} ${missing.join(' and ')}, which ${are} not installed: run npm install ${missing.join(' ')}`;
}

/** Looks for the package where an import of this program would, without loading it. */
function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}
