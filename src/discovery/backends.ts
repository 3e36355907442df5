/** An etcd cluster. */
export interface EtcdBackend {
  readonly kind: 'etcd';
  /** `http://host:port` or `https://host:port`, all of one scheme. */
  readonly endpoints: readonly string[];
  /** User of etcd, together with `password`. */
  readonly username: string | undefined;
  /** Password of that user. */
  readonly password: string | undefined;
  /** Path of a PEM file with the authorities that sign for etcd. */
  readonly caCertPath: string | undefined;
  /** Path of our certificate. */
  readonly certPath: string | undefined;
  /** Path of its private key. */
  readonly keyPath: string | undefined;
}

/** A directory of files. */
export interface DirectoryBackend {
  readonly kind: 'directory';
  /** Absolute path. */
  readonly root: string;
}

/** Name servers. */
export interface DnsBackend {
  readonly kind: 'dns';
  /** `host:port` of each, in the order they are asked; none: those of the system. */
  readonly servers: readonly string[];
  /** Least time between two looks, whatever the records say, ms. */
  readonly minIntervalMs: number;
  /** Longest time between two looks, ms. */
  readonly maxIntervalMs: number;
}

/** Sentinels of Redis. */
export interface SentinelBackend {
  readonly kind: 'sentinel';
  /** `host:port` of those that are always asked; they tell of the others. */
  readonly sentinels: readonly string[];
  /** User of Sentinel, together with `sentinelPassword`; undefined: the default user. */
  readonly sentinelUsername: string | undefined;
  /** Password of that user. */
  readonly sentinelPassword: string | undefined;
  /** Whether attache speaks TLS to Sentinels. */
  readonly sentinelTls: boolean;
  /** Path of a PEM file with the authorities that sign for Sentinels; undefined: those that Node trusts. */
  readonly sentinelCaCertPath: string | undefined;
  /** Path of our certificate. */
  readonly sentinelCertPath: string | undefined;
  /** Path of its private key. */
  readonly sentinelKeyPath: string | undefined;
}

/** Where members are looked up. */
export type DiscoveryBackend = EtcdBackend | DirectoryBackend | DnsBackend | SentinelBackend;
