import { ConfigError, type ConfigFault } from '../core/errors.ts';
import { quoteName } from './quote.ts';

/** Collects every fault and warning of one configuration, so that a user repairs all of them in one go. */
export class Report {
  readonly warnings: string[] = [];
  readonly #faults: ConfigFault[] = [];
  /** Nothing to warn of by itself, yet perhaps the cause of a fault. */
  readonly #hints: string[] = [];

  constructor(faults: readonly ConfigFault[] = []) {
    for (const fault of faults) this.fault(fault.setting, fault.message);
  }

  get faultCount(): number {
    return this.#faults.length;
  }

  /** Notes a fault. Saying the same twice is saying it once. */
  fault(setting: string, message: string): void {
    const fault = { setting: quoteName(setting), message };
    const known = this.#faults.some((other) => other.setting === fault.setting && other.message === message);
    if (!known) this.#faults.push(fault);
  }

  warn(setting: string, message: string): void {
    const warning = `${quoteName(setting)}: ${message}`;
    if (!this.warnings.includes(warning)) this.warnings.push(warning);
  }

  /** Notes what is said only beside faults. */
  hint(setting: string, message: string): void {
    this.#hints.push(`${quoteName(setting)}: ${message}`);
  }

  /** @throws ConfigError with everything noted, when there is a fault; warnings may name its cause, so they go along */
  throwIfFaulty(): void {
    if (this.#faults.length > 0) throw new ConfigError(this.#faults, [...this.warnings, ...this.#hints]);
  }
}
