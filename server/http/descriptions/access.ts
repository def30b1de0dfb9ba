import Type from 'typebox';
import { json, type RouteDescription, time } from '../route-description.ts';

export const tokenDescription: RouteDescription = {
  operationId: 'issueReadToken',
  summary: 'A token for reading, where a client cannot send a header',
  details:
    'It goes into the query as `token`, opens what may be read with the key, and is good for TOKEN_LIFETIME_S seconds.',
  tag: 'access',
  answers: {
    200: json(
      Type.Object({ success: Type.Literal(true), token: Type.String(), expiresAt: time('When it ends') }),
      'The token.',
    ),
  },
};
