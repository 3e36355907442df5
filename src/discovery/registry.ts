import type { LookupFunction } from 'node:net';
import type { DialPolicy } from '../core/dial-policy.ts';
import type { CandidateSource } from './source.ts';
import type { TextSource, TextSourceOptions } from './text-source.ts';

/**
 * One sort of registry: how its URLs and the `SRV` of its services are read, which settings are its own, and how its
 * source is loaded. A row is light: what it needs to look for members is imported by `load` alone.
 */
export interface Registry<B extends RegistryBackend, S> {
  readonly kind: B['kind'];
  /** What it is, behind "is": `a directory`. */
  readonly title: string;
  /** Lower case; of several, each is a form of the same registry. */
  readonly schemes: readonly string[];
  /** What its URLs look like, for messages: `http://host:port`. */
  readonly forms: readonly string[];
  /** Whether its URLs may stand without their scheme behind the first: `dns://10.0.0.1,10.0.0.2`. */
  readonly isListOfHosts: boolean;
  /** Whether it tells which server of a service has which role, so that the service chooses with `SENTINEL_ROLE`. */
  readonly hasRoles?: boolean;
  /** Where user and password belong, as a URL takes none; undefined: it has none. */
  readonly credentials?: string;
  /** One URL in its canonical form. */
  readonly readUrl: (url: string) => Reading;
  /** What is wrong with canonical URLs of one scheme beside each other; the sentence goes on behind "expected". */
  readonly refuseUrls?: (urls: readonly string[]) => string | undefined;
  /** What `SRV` names, in its canonical form. */
  readonly readService: (text: string) => Reading;
  readonly settings: readonly RegistrySetting[];
  /** What is wrong with the values of its settings: the setting, and what comes behind "expected". */
  readonly refuseValues?: (values: S) => readonly (readonly [setting: string, fault: string])[];
  /** All that a source has to know of the registry: a plain value of the configuration. */
  readonly backend: (urls: readonly string[], values: S) => B;
  /** The registry as `DSC` would say it. */
  readonly urls: (backend: B) => readonly string[];
  /** What tells two sets of one `SRV` apart in the state file; missing: they are the same. */
  readonly variant?: (backend: B, wanted: WantedMembers) => string;
  /** Imports what makes its sources. */
  readonly load: (backend: B) => Promise<(options: RegistrySourceOptions) => CandidateSource>;
  /** Imports what follows one key; missing: it keeps no texts. */
  readonly loadText?: (backend: B) => Promise<(options: TextSourceOptions) => TextSource>;
}

export interface RegistryBackend {
  readonly kind: string;
}

/** A text in its canonical form, or what was expected in place of it. */
export type Reading = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly reason: string };

/** A setting that only one registry has. */
export interface RegistrySetting {
  readonly name: string;
  /** The setting without which it is of no use. */
  readonly needs?: string;
  /** It is the path of a file. */
  readonly isFile?: boolean;
  /** Why it is not used with these URLs, behind "DSC". */
  readonly unusedWith?: (urls: readonly string[]) => string | undefined;
}

/** Families of the addresses that are wanted. */
export type MemberNet = 'tcp4' | 'tcp6' | 'tcp';

/** The primary of a service, or its replicas that are up. */
export type MemberRole = 'primary' | 'replicas';

/** Which of the servers that a registry knows are wanted. */
export interface WantedMembers {
  /** Families that names are looked up in. */
  readonly net: MemberNet;
  /** For registries that have roles. */
  readonly role: MemberRole;
}

/** What sources of all registries are told. */
export interface RegistrySourceOptions extends WantedMembers {
  /** What `SRV` names, in its canonical form. */
  readonly directory: string;
  /** Which discovered addresses may be dialed. */
  readonly policy: DialPolicy;
  /** While the registry cannot be reached: `keep` the last set, or `clear` it. */
  readonly onFailure: 'keep' | 'clear';
  /** A set with more members is not believed; 0: no limit. */
  readonly maxMembers: number;
  /** Looks names of the registry's own servers up. */
  readonly lookup: LookupFunction;
}
