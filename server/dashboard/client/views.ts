/** The views of the page, in the order of the navigation. Each is a module of its own that is loaded when it is first opened. */
import type { ComponentType } from 'preact';
import type { IconName } from './parts/icon.tsx';

export interface ViewProps {
  /** The segments of the address behind the view's own. */
  readonly rest: readonly string[];
}

export interface View {
  readonly path: string;
  readonly label: string;
  readonly icon: IconName;
  readonly load: () => Promise<{ readonly default: ComponentType<ViewProps> }>;
}

export const views: readonly View[] = [
  { path: 'wall', label: 'Wall', icon: 'wall', load: () => import('./views/wall.tsx') },
  { path: 'cameras', label: 'Cameras', icon: 'camera', load: () => import('./views/cameras.tsx') },
  { path: 'people', label: 'People', icon: 'people', load: () => import('./views/people.tsx') },
  {
    path: 'attendance',
    label: 'Attendance',
    icon: 'attendance',
    load: () => import('./views/attendance.tsx'),
  },
  {
    path: 'recordings',
    label: 'Recordings',
    icon: 'recordings',
    load: () => import('./views/recordings.tsx'),
  },
  { path: 'devices', label: 'Devices', icon: 'devices', load: () => import('./views/devices.tsx') },
];
