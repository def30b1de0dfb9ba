/** GET /api/v1/token: a short-lived token for reading where a client cannot send a header. */
import type { AccessControl } from '../api-key.ts';
import { tokenDescription } from '../descriptions/access.ts';
import type { Route } from '../route.ts';

export function tokenRoutes(access: AccessControl): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/token',
      // Also with ACCESS=open: a token opens files that need the key in every mode.
      access: 'always',
      description: tokenDescription,
      handle(ctx) {
        const { token, expiresAt } = access.issueReadToken();
        ctx.set('Cache-Control', 'no-store');
        ctx.body = { success: true, token, expiresAt: expiresAt.toISOString() };
      },
    },
  ];
}
