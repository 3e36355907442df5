import type { SourceState } from '../../src/core/status.ts';
import { SourceRecorder } from './source-recorder.ts';

/** Writes down what a source reports that looks again and again, and says so each time. */
export class LookRecorder extends SourceRecorder {
  readonly reasons = new Map<string, string>();

  override ignored(key: string, reason = ''): void {
    this.reasons.set(key, reason);
    super.ignored(key);
  }

  get status(): SourceState['status'] | undefined {
    return this.latest?.status;
  }

  /** Waits until this set is in force and the source says that it is what the backend holds. */
  holds(expected: readonly string[]): Promise<void> {
    const wanted = expected.join();
    return this.until(`synced with ${wanted}`, () => this.status === 'synced' && this.current?.join() === wanted);
  }

  /** Waits for so many further reports of the source's state. */
  nextLooks(count: number): Promise<void> {
    const goal = this.states.length + count;
    return this.until(`${count} further looks`, () => this.states.length >= goal);
  }
}
