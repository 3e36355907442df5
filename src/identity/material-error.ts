import { AttacheError } from '../core/errors.ts';

/** One thing that is wrong with one part of TLS material. */
export interface MaterialFault {
  /** The path or `s3://` URI, or the part's name when it has none. */
  readonly origin: string;
  /** A sentence, "expected X, found Y", without a byte of any key. */
  readonly message: string;
}

export interface MaterialErrorOptions {
  /** `tls_material_invalid`: it was read and is no good. `tls_material_unavailable`: it could not be read. */
  readonly code: 'tls_material_invalid' | 'tls_material_unavailable';
  readonly faults: readonly MaterialFault[];
  /** Whether it can pass by itself. Default false. */
  readonly retryable?: boolean;
}

/** Everything that is wrong with a set of TLS material. It has no cause: those of libraries can hold credentials. */
export class MaterialError extends AttacheError {
  readonly faults: readonly MaterialFault[];

  constructor({ code, faults, retryable = false }: MaterialErrorOptions) {
    super(code, faults.map(({ origin, message }) => `${origin}: ${message}`).join('\n'), { retryable });
    this.name = 'MaterialError';
    this.faults = [...faults];
  }
}

export function invalid(origin: string, message: string): MaterialError {
  return new MaterialError({ code: 'tls_material_invalid', faults: [{ origin, message }] });
}

/** @param canPass whether it can pass by itself */
export function unavailable(origin: string, message: string, canPass: boolean): MaterialError {
  return new MaterialError({ code: 'tls_material_unavailable', faults: [{ origin, message }], retryable: canPass });
}

/** Collects the faults of several steps, so that all of them can be repaired in one go. */
export class FaultCollector {
  readonly #errors: MaterialError[] = [];

  /** What `step` gives, undefined after a fault. @throws what it throws that is no {@link MaterialError} */
  attempt<T>(step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      this.add(error);
      return undefined;
    }
  }

  /** The result of `work`, undefined after a fault. @throws any rejection that is no {@link MaterialError} */
  async settle<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      this.add(error);
      return undefined;
    }
  }

  add(error: unknown): void {
    if (!(error instanceof MaterialError)) throw error;
    this.#errors.push(error);
  }

  /** Whether there was a fault, and each can pass by itself. */
  get canPass(): boolean {
    return this.#errors.length > 0 && this.#errors.every(({ retryable }) => retryable);
  }

  /** @throws MaterialError when there was a fault: final when one of them is, invalid when one of them is */
  throwIfAny(): void {
    if (this.#errors.length === 0) return;
    const isInvalid = this.#errors.some(({ code }) => code === 'tls_material_invalid');
    throw new MaterialError({
      code: isInvalid ? 'tls_material_invalid' : 'tls_material_unavailable',
      faults: this.#errors.flatMap(({ faults }) => faults),
      retryable: this.canPass,
    });
  }
}
