import type { AttacheEvent, Observer } from '../core/observer.ts';

/** Is called with the events of one type, on the event loop, synchronously. */
export type EventCallback<T extends AttacheEvent['type']> = (
  event: Extract<AttacheEvent, { readonly type: T }>,
) => void;

/** Listeners of single types of events, each an observer among others. */
export class EventListeners {
  readonly #observers: Set<Observer>;
  readonly #byType = new Map<AttacheEvent['type'], Map<unknown, Observer>>();

  /** @param observers what hears every event; the listeners are added to it */
  constructor(observers: Set<Observer>) {
    this.#observers = observers;
  }

  on<T extends AttacheEvent['type']>(type: T, listener: EventCallback<T>): () => void {
    this.off(type, listener);
    const observer: Observer = (event) => {
      if (isOfType(event, type)) listener(event);
    };
    const ofType = this.#byType.get(type) ?? new Map<unknown, Observer>();
    this.#byType.set(type, ofType.set(listener, observer));
    this.#observers.add(observer);
    return () => {
      if (this.#byType.get(type)?.get(listener) === observer) this.off(type, listener);
    };
  }

  once<T extends AttacheEvent['type']>(type: T, listener: EventCallback<T>): () => void {
    const off = this.on(type, (event) => {
      off();
      listener(event);
    });
    return off;
  }

  off<T extends AttacheEvent['type']>(type: T, listener: EventCallback<T>): void {
    const ofType = this.#byType.get(type);
    const observer = ofType?.get(listener);
    if (observer === undefined) return;
    this.#observers.delete(observer);
    ofType?.delete(listener);
  }
}

function isOfType<T extends AttacheEvent['type']>(
  event: AttacheEvent,
  type: T,
): event is Extract<AttacheEvent, { readonly type: T }> {
  return event.type === type;
}
