/**
 * What a change of the candidate set does to open connections: end all, end those to removed members, end those after a
 * time, or nothing.
 */
export type OnChange = 'reset' | 'reset-removed' | 'drain' | 'keep';
