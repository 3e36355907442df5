import type { Ambassador } from './ambassador.ts';
import type { Extension } from './extension.ts';
import { Changes } from '../admin/changes.ts';
import type { HttpEndpointOptions } from '../admin/http-endpoint.ts';
import { FlightRecorder } from '../admin/recorder.ts';
import type { StatusRoutesOptions } from '../admin/status-routes.ts';
import { Counters } from '../admin/counters.ts';
import type { Config } from '../config/config.ts';
import { describeService } from '../config/describe.ts';
import { readVersion } from '../config/version.ts';
import type { Observer } from '../core/observer.ts';

/** What only the process knows. */
export interface OwnReadings {
  /** Time since the process started. */
  readonly uptimeMs: () => number;
  /** Log lines that were dropped since the process started. */
  readonly droppedLogLines: () => number;
}

/** What is remembered of a running ambassador, and the servers that show it and act upon it. */
export class Observability {
  readonly #config: Config;
  readonly #counters = new Counters();
  readonly #changes = new Changes();
  readonly #recorder = new FlightRecorder();
  readonly #readings: OwnReadings;

  /** @param readings are asked whenever somebody looks */
  constructor(config: Config, readings: OwnReadings) {
    this.#config = config;
    this.#readings = readings;
  }

  /** To hear everything from the first event on; none when nobody could ask for what they know. */
  get observers(): readonly Observer[] {
    if (this.#config.httpAddress === undefined) return [];
    return [this.#counters.observer, this.#changes.observer, this.#recorder.observer];
  }

  /** `HTTP_ADDR`: it changes nothing. The modules are loaded while the services already begin to listen. */
  async httpServer(ambassador: Ambassador, options: Omit<HttpEndpointOptions, 'answer'>): Promise<Extension> {
    const [{ healthServer }, { Metrics }, { statusRoutes }, { ThroughputHistory }, { PageRoutes }] = await Promise.all([
      import('../admin/server.ts'),
      import('../admin/metrics.ts'),
      import('../admin/status-routes.ts'),
      import('../admin/history.ts'),
      import('../admin/page/page-routes.ts'),
    ]);
    const { readyMinCandidates: minCandidates, httpAllowHosts: allowHosts } = this.#config;
    const version = readVersion();
    const metrics = new Metrics(version, this.#counters, this.#readings.droppedLogLines);
    const sources: StatusRoutesOptions = {
      ambassador,
      metrics,
      counters: this.#counters,
      changes: this.#changes,
      recorder: this.#recorder,
      version,
      settings: () =>
        Object.fromEntries(ambassador.services.map((service) => [service.name, describeService(service)])),
      minCandidates,
      uptimeMs: this.#readings.uptimeMs,
    };
    const history = new ThroughputHistory({
      traffic: () => ambassador.traffic(),
      counters: this.#counters.services,
    });
    const routes = statusRoutes(sources);
    const page = new PageRoutes({ ...sources, history, onError: options.onError });
    const server = healthServer({
      ...options,
      status: () => ambassador.status,
      minCandidates,
      allowHosts,
      routes: (request) => routes(request) ?? page.answer(request),
    });
    return {
      start: () => {
        history.start();
        return server.start();
      },
      address: () => server.address(),
      close: async () => {
        metrics.close();
        history.close();
        await page.close();
        await server.close();
      },
    };
  }
}
