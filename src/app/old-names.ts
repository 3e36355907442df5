import type { AttacheEvent } from '../core/observer.ts';
import type { ListenerState } from '../core/status.ts';
import type { Extension } from './extension.ts';
import type { EventCallback } from './event-listeners.ts';

/** Old name of {@link Extension}. */
export type Endpoint = Extension;

/** Old name of {@link EventCallback}. */
export type Listener<T extends AttacheEvent['type']> = EventCallback<T>;

/** Old name of {@link ListenerState}. */
export type SlotStatus = ListenerState;
