/** Where the machine's administrator wants hosts to be looked up. */
export interface Sources {
  /** In the order to ask. */
  readonly order: readonly ('files' | 'dns')[];
  /** There are others (mdns, sss, nis, ...), which only the C library can ask. */
  readonly others: boolean;
}

export const USUAL: Sources = { order: ['files', 'dns'], others: false };

/** Reads the `hosts` line of nsswitch.conf(5); without one the hosts file comes before DNS. */
export function parseNsswitch(text: string): Sources {
  const line = /^\s*hosts\s*:([^#\n]*)/m.exec(text)?.[1];
  if (line === undefined) return USUAL;
  const named = line
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .split(/\s+/)
    .filter((name) => name !== '');
  if (named.length === 0) return USUAL;
  const known = named.flatMap((name) => SOURCE[name] ?? []);
  return { order: [...new Set(known)], others: named.some((name) => name !== 'files' && name !== 'dns') };
}

/** `resolve` is systemd's way to the same name servers; the rest of what it knows is asked for as one of the others. */
const SOURCE: Readonly<Partial<Record<string, 'files' | 'dns'>>> = { files: 'files', dns: 'dns', resolve: 'dns' };
