/** The server's time of day, for ages of pictures: a phone's clock may be minutes off. And one tick a second for all who show an age. */
import { useEffect, useState } from 'preact/hooks';

let aheadMs = 0;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** @param serverMs what the server's clock says at this moment */
export function setServerTime(serverMs: number): void {
  aheadMs = serverMs - Date.now();
}

export const serverNow = (): number => Date.now() + aheadMs;

/** Calls once a second while the page can be seen. @returns how to stop */
export function onTick(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    if (document.visibilityState === 'visible') for (const tick of listeners) tick();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** What depends on the time; the component is drawn again only where it has changed. */
export function useTicking<T extends string | number>(value: () => T): T {
  const [, setShown] = useState<T>();
  const now = value();
  useEffect(() => onTick(() => setShown(value())), [value]);
  return now;
}

/** `3 s ago`; `now` up to two seconds. */
export function agoWords(atMs: number, nowMs: number = serverNow()): string {
  const seconds = Math.max(0, Math.floor((nowMs - atMs) / 1000));
  if (seconds < 2) return 'now';
  return `${durationWords(seconds)} ago`;
}

/** `45 s`, `12 min`, `3 h`, `5 days`. */
export function durationWords(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** The time of day for today's, with the date otherwise. */
export function timeWords(at: number | string | Date): string {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date(serverNow()).toDateString();
  return (isToday ? timeOfDay : dayAndTime).format(date);
}
