/** The state of a board or a camera: a word, and a colour that says the same. */
import type { ComponentChildren } from 'preact';

export type Mood = 'good' | 'warn' | 'bad' | 'idle';

const WORDS: Readonly<Record<string, readonly [Mood, string]>> = {
  // Boards.
  online: ['good', 'Online'],
  offline: ['bad', 'Offline'],
  maintenance: ['warn', 'Restarting'],
  unregistered: ['idle', 'Not registered'],
  // Cameras and sessions.
  starting: ['idle', 'Connecting'],
  connecting: ['idle', 'Connecting'],
  live: ['good', 'Live'],
  running: ['good', 'Running'],
  playing: ['good', 'Running'],
  active: ['good', 'Running'],
  waiting: ['warn', 'Trying again'],
  retrying: ['warn', 'Trying again'],
  stalled: ['warn', 'Standing still'],
  failed: ['bad', 'Failed'],
  stopped: ['idle', 'Stopped'],
  idle: ['idle', 'Idle'],
  stopping: ['idle', 'Stopping'],
};

/** What a board says of itself may be any word: it is shown as it is. */
export const moodOf = (state: string): Mood => WORDS[state]?.[0] ?? 'idle';

export const stateWords = (state: string): string =>
  WORDS[state]?.[1] ?? (state.charAt(0).toUpperCase() + state.slice(1)).replaceAll('_', ' ');

export function StateBadge({ state }: { state: string }) {
  return <Badge mood={moodOf(state)}>{stateWords(state)}</Badge>;
}

export function Badge({ mood, children }: { mood: Mood; children: ComponentChildren }) {
  return (
    <span class={`badge ${mood}`}>
      <span class={`dot ${mood}`} />
      {children}
    </span>
  );
}
