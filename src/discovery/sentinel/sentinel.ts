import { Redis } from 'ioredis';
import type { MemberRole } from '../registry.ts';
import { connectionTo, sentinelFaultText, type SentinelAddress, type SentinelLogin } from './connection.ts';
import { askId, askMembers, askOthers, at, type OtherSentinel } from './questions.ts';
import type { Vote } from './vote.ts';

export interface SentinelOptions extends SentinelLogin {
  /** Of the primary. */
  readonly name: string;
  readonly role: MemberRole;
  /** Something has changed that this Sentinel knows of. */
  readonly news: () => void;
}

/** What a Sentinel says. */
export interface Said {
  /** The id that other Sentinels know it by; its address where it has none. */
  readonly id: string;
  readonly vote: Vote;
  readonly others: readonly OtherSentinel[];
}

/** All that tells of another primary or another set of replicas. */
const CHANNELS = ['+switch-master', '+slave', '-slave', '+sdown', '-sdown', '+odown', '-odown', '+reboot'];

/** One Sentinel: a connection that asks, and one that listens for news. Both are made when it is asked, and again when they broke. */
export class Sentinel {
  readonly label: string;
  readonly #address: SentinelAddress;
  readonly #options: SentinelOptions;
  #clients: readonly Redis[] = [];
  #opening: Promise<Redis> | undefined;
  #asking: Promise<Said> | undefined;
  #id: string | undefined;
  #isClosed = false;
  /** Both connections are up, so that no news is missed. */
  #isListening = false;
  /** Why the connection broke. */
  #fault: Error | undefined;

  constructor(address: SentinelAddress, options: SentinelOptions) {
    this.#address = address;
    this.#options = options;
    this.label = at(address.host, address.port);
  }

  /** What it said when it answered last; undefined: it never did, or tells no id. */
  get id(): string | undefined {
    return this.#id;
  }

  /** @throws Error when there is no answer; its message has no secret */
  ask(): Promise<Said> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  close(): void {
    this.#isClosed = true;
    this.#drop();
  }

  async #ask(): Promise<Said> {
    try {
      const asker = await (this.#opening ??= this.#open());
      const { name, role } = this.#options;
      const [vote, others] = await Promise.all([askMembers(asker, name, role), askOthers(asker, name)]);
      return { id: this.#id ?? this.label, vote, others };
    } catch (error) {
      const text = `${this.label}: ${sentinelFaultText(this.#fault ?? error)}`;
      this.#drop();
      throw new Error(text, { cause: error });
    }
  }

  async #open(): Promise<Redis> {
    this.#fault = undefined;
    const connection = await connectionTo(this.#address, this.#options);
    if (this.#isClosed) throw new Error('it is no longer asked');
    const [asker, listener] = [this.#client(connection), this.#client(connection)];
    this.#clients = [asker, listener];
    await Promise.all([asker.connect(), listener.connect()]);
    listener.on('message', (_: string, message: string) => {
      if (message.split(' ').includes(this.#options.name)) this.#options.news();
    });
    await listener.subscribe(...CHANNELS);
    this.#isListening = true;
    this.#id = await askId(asker);
    return asker;
  }

  #client(connection: Awaited<ReturnType<typeof connectionTo>>): Redis {
    const client = new Redis(connection);
    client.on('error', (error: Error) => {
      this.#fault ??= error;
    });
    client.on('end', () => {
      if (!this.#clients.includes(client)) return;
      const wasListening = this.#isListening;
      this.#drop();
      // What it would have told of has to be asked for.
      if (wasListening) this.#options.news();
    });
    return client;
  }

  #drop(): void {
    const clients = this.#clients;
    this.#clients = [];
    this.#opening = undefined;
    this.#isListening = false;
    for (const client of clients) client.disconnect();
  }
}
