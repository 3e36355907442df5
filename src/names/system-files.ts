import { hostname } from 'node:os';
import { parseHosts, type Hosts } from './hosts-file.ts';
import { parseNsswitch, type Sources } from './nsswitch.ts';
import { parseResolvConf, type ResolvConf } from './resolv-conf.ts';
import { WatchedFile } from './watched-file.ts';

export interface SystemPaths {
  readonly hosts: string;
  readonly resolvConf: string;
  readonly nsswitch: string;
}

export const systemPaths: SystemPaths = {
  hosts: '/etc/hosts',
  resolvConf: '/etc/resolv.conf',
  nsswitch: '/etc/nsswitch.conf',
};

/** What the system's files say of looking names up. */
export interface SystemView {
  readonly hosts: Hosts;
  /** The same object for as long as the file is the same. */
  readonly conf: ResolvConf;
  readonly sources: Sources;
}

/** Longer than this no look-up waits for files: one on a dead file system must not stop them. */
const PATIENCE_MS = 500;

/** The three files that say how names are looked up, as they are now, or were a moment ago. */
export class SystemFiles {
  readonly #hosts: WatchedFile<Hosts>;
  readonly #conf: WatchedFile<ResolvConf>;
  readonly #sources: WatchedFile<Sources>;

  constructor(paths: SystemPaths, now: () => number) {
    this.#hosts = new WatchedFile({ path: paths.hosts, parse: parseHosts, now });
    this.#conf = new WatchedFile({
      path: paths.resolvConf,
      parse: (text) => parseResolvConf(text, hostname()),
      now,
    });
    this.#sources = new WatchedFile({ path: paths.nsswitch, parse: parseNsswitch, now });
  }

  /** Never rejects. */
  async view(): Promise<SystemView> {
    const looks = [this.#hosts.look(), this.#conf.look(), this.#sources.look()].filter((look) => look !== undefined);
    if (looks.length > 0) await atMost(PATIENCE_MS, Promise.all(looks));
    return { hosts: this.#hosts.value, conf: this.#conf.value, sources: this.#sources.value };
  }
}

function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, ms);
    const done = () => {
      clearTimeout(late);
      resolve();
    };
    work.then(done, done);
  });
}
