import { accept, expected, listOf, refuse, type Kind } from './kind.ts';

/** Separators that OpenSSL takes. */
const SEPARATORS = /[:;]/g;
/** One suite; what stands for several (`HIGH`, `!aNULL`) would let in ones that nobody has looked at. */
const SUITE = /^[A-Z0-9]+(?:[-_][A-Z0-9]+)+$/;
/** Suites that need no certificate: there is nobody in them that could be let in. */
const WITHOUT_CERTIFICATE = /(?:^|-)(?:PSK|ADH|AECDH|SRP|NULL)(?:-|$)/;

const names = listOf<string>({
  label: 'list of cipher suites',
  item(text) {
    const name = text.toUpperCase();
    if (SUITE.test(name) && !WITHOUT_CERTIFICATE.test(name) && isAllowed(name)) return accept(name);
    return refuse(expected("OpenSSL's name of a cipher suite that it allows, as in ECDHE-RSA-AES128-GCM-SHA256", text));
  },
  format: (name) => name,
  identity: (name) => name,
});

/** Names of cipher suites, each known to the OpenSSL that Node brings: one that is misspelt is passed over by OpenSSL. */
export const cipherSuites: Kind<readonly string[], string | readonly string[]> = {
  ...names,
  // None is the default ones, which OpenSSL knows.
  format: (ciphers) => (ciphers.length === 0 ? undefined : ciphers),
  parse: (text) => names.parse(text.replace(SEPARATORS, ',')),
};

function isAllowed(ciphers: string): boolean {
  try {
    // Loaded when somebody names a suite: services without TLS need not wait for OpenSSL, nor keep it in memory.
    process.getBuiltinModule('node:tls').createSecureContext({ ciphers });
    return true;
  } catch {
    return false;
  }
}
