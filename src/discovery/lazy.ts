import type { CandidateSource, SourceSink } from './source.ts';

/**
 * A source whose code is loaded when it is started, so that a sidecar with static candidates pays nothing for it.
 *
 * @param load imports the module and makes the source
 */
export function lazySource(load: () => Promise<CandidateSource>): CandidateSource {
  let stopped = false;
  let source: Promise<CandidateSource> | undefined;

  async function begin(sink: SourceSink): Promise<CandidateSource> {
    const loaded = await (source = load());
    if (!stopped) loaded.start(sink);
    return loaded;
  }

  return {
    start(sink) {
      if (stopped || source !== undefined) return;
      begin(sink).catch((error: unknown) => {
        sink.state({ status: 'starting', error: error instanceof Error ? error.message : String(error) });
      });
    },
    async survey() {
      const loaded = await source?.catch(() => undefined);
      return loaded?.survey?.();
    },
    async stop() {
      stopped = true;
      const loaded = await source?.catch(() => undefined);
      await loaded?.stop();
    },
  };
}
