/** What a route says about itself. Access is part of it, so that nothing is open because somebody forgot. */
import type { RouterContext } from '@koa/router';
import type { RouteDescription } from './route-description.ts';

/**
 * - `public`: health and the sign-in; open in every mode
 * - `board`: what a board sends; open unless `ACCESS=strict`, then API_KEY or DEVICE_KEY
 * - `read`: reading pictures and recordings; the key, or a read token in the query; open with `ACCESS=open`
 * - `key`: everything else of the device API; the key; open with `ACCESS=open`
 * - `always`: the key in every mode
 */
export type Access = 'public' | 'board' | 'read' | 'key' | 'always';

export interface RequestState {
  requestId: string;
  /** The caller showed the API key, or is the page of somebody who did. */
  hasKey: boolean;
  /** The route that was matched, once one was. */
  route?: Route;
}

export type Context = RouterContext<RequestState>;

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As @koa/router writes it: `/data/:name`. */
  readonly path: string;
  readonly access: Access;
  /** Whose words errors are told in; the device API's without it. */
  readonly envelope?: 'device' | 'attendance';
  /** Called many times a second: its access lines are logged at debug level. */
  readonly frequent?: boolean;
  /** What the OpenAPI document says of it. */
  readonly description: RouteDescription;
  readonly handle: (ctx: Context) => Promise<void> | void;
}
