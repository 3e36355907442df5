import type { LiveState } from '../wire.ts';
import { changeText } from './tables.ts';

/** What has become different in a way that a listener wants to be told. */
export function newsOf(before: LiveState, after: LiveState): readonly string[] {
  const refusedAt = after.configuration?.rejected?.atMs;
  const refused =
    refusedAt === undefined || refusedAt === before.configuration?.rejected?.atMs
      ? []
      : ['A list of services was refused.'];
  const services = after.services.flatMap((service, place) => {
    const old = before.services[place];
    if (old === undefined) return [];
    const turned = old.ready === service.ready ? [] : [`${service.name} is ${service.ready ? 'ready' : 'not ready'}.`];
    const reason = service.healthReason === undefined ? '' : `: ${service.healthReason}`;
    const stands = old.health === service.health ? [] : [`${service.name} is ${service.health}${reason}.`];
    const lastKnown = old.changes[0]?.atMs ?? 0;
    const changes = service.changes.filter(({ atMs }) => atMs > lastKnown);
    const latest = changes[0] === undefined ? [] : [`${service.name}: ${changeText(changes[0])}.`];
    return [...turned, ...stands, ...latest];
  });
  return [...refused, ...services];
}
