import type { Ambassador, Endpoint } from './ambassador.ts';
import { Changes } from './admin/changes.ts';
import type { HttpEndpointOptions } from './admin/http-endpoint.ts';
import { FlightRecorder } from './admin/recorder.ts';
import type { StatusRoutesOptions } from './admin/status-routes.ts';
import { Tally } from './admin/tally.ts';
import type { Config } from './config/config.ts';
import { describeService } from './config/describe.ts';
import { readVersion } from './config/version.ts';
import type { Observer } from './core/observer.ts';

/** What is remembered of a running ambassador, and the servers that show it and act upon it. */
export class Observability {
  readonly #config: Config;
  readonly #tally = new Tally();
  readonly #changes = new Changes();
  readonly #recorder = new FlightRecorder();
  readonly #uptimeMs: () => number;

  /** @param uptimeMs time since the process started, whenever it is asked */
  constructor(config: Config, uptimeMs: () => number) {
    this.#config = config;
    this.#uptimeMs = uptimeMs;
  }

  /** To hear everything from the first event on; none when nobody could ask for what they know. */
  get observers(): readonly Observer[] {
    if (this.#config.httpAddress === undefined) return [];
    return [this.#tally.observer, this.#changes.observer, this.#recorder.observer];
  }

  /** `HTTP_ADDR`: it changes nothing. The modules are loaded while the services already begin to listen. */
  async httpServer(ambassador: Ambassador, options: Omit<HttpEndpointOptions, 'answer'>): Promise<Endpoint> {
    const [{ healthServer }, { Metrics }, { statusRoutes }, { PageRoutes }] = await Promise.all([
      import('./admin/server.ts'),
      import('./admin/metrics.ts'),
      import('./admin/status-routes.ts'),
      import('./admin/page/page-routes.ts'),
    ]);
    const { services, readyMinCandidates: minCandidates } = this.#config;
    const version = readVersion();
    const metrics = new Metrics(version, this.#tally);
    const sources: StatusRoutesOptions = {
      ambassador,
      metrics,
      tally: this.#tally,
      changes: this.#changes,
      recorder: this.#recorder,
      version,
      words: Object.fromEntries(services.map((service) => [service.name, describeService(service)])),
      minCandidates,
      uptimeMs: this.#uptimeMs,
    };
    const [routes, page] = [statusRoutes(sources), new PageRoutes({ ...sources, onError: options.onError })];
    const server = healthServer({
      ...options,
      status: () => ambassador.status,
      minCandidates,
      routes: (request) => routes(request) ?? page.answer(request),
    });
    return {
      start: () => server.start(),
      close: async () => {
        metrics.close();
        await page.close();
        await server.close();
      },
    };
  }
}
