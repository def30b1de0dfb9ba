/** Where the operator is: the part of the address behind `#`, such as `#/devices/door-1`. */
import { useEffect, useState } from 'preact/hooks';

/** The segments, decoded: `['devices', 'door-1']`. */
export function readLocation(hash: string = location.hash): string[] {
  return hash
    .replace(/^#\/?/, '')
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => {
      try {
        return decodeURIComponent(segment);
      } catch {
        return segment;
      }
    });
}

export const linkTo = (...segments: string[]): string => `#/${segments.map(encodeURIComponent).join('/')}`;

/** Where one board or camera is seen in full. */
export const linkToSource = (kind: 'device' | 'camera', id: string): string =>
  kind === 'camera' ? linkTo('cameras', id) : linkTo('wall', 'device', id);

export function goTo(...segments: string[]): void {
  location.hash = linkTo(...segments);
}

export function useLocation(): readonly string[] {
  const [segments, setSegments] = useState(() => readLocation());
  useEffect(() => {
    const follow = () => setSegments(readLocation());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return segments;
}
