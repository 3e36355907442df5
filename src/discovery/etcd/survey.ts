import type { EtcdClient } from '../../etcd/client.ts';
import { nearestMembers } from '../nearest-members.ts';
import type { EmptySurvey } from '../source.ts';

/** Keys of one list of a survey: a registry may hold a hundred thousand. */
const MAX_KEYS = 500;

/**
 * Looks for members near a directory that has none, on the connection of a session. A user of etcd who may not read
 * there finds nothing. Never rejects.
 */
export async function etcdSurvey(
  prefix: string,
  client: Pick<EtcdClient, 'firstKeys'> | undefined,
): Promise<EmptySurvey> {
  const directory = prefix.replace(/\/$/, '');
  if (client === undefined) return { directory, nearest: undefined };
  try {
    const nearest = await nearestMembers(directory, async (parent) => {
      const above = parent === '' ? '' : `${parent}/`;
      return (await client.firstKeys(above, MAX_KEYS)).map((key) => key.slice(above.length));
    });
    return { directory, nearest };
  } catch {
    return { directory, nearest: undefined };
  }
}
