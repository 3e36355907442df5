export const FOLLOWED_DIRECTORY = '/srv/bench';
export const FOLLOWED_NAME = 'bench.test';

/** To a process of followers: tell when all have this member, `host:port`. */
export interface FollowerOrder {
  readonly member: string;
}

/** From a process of followers. */
export type FollowerWord = { readonly kind: 'ready' } | { readonly kind: 'seen'; readonly member: string };
