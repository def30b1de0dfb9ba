import Type from 'typebox';
import { bytes, json, type RouteDescription } from '../route-description.ts';

export const Credentials = Type.Object({
  key: Type.Optional(
    Type.String({ maxLength: 4096, expected: 'the API key', description: 'The API key; or else `once`' }),
  ),
  once: Type.Optional(
    Type.String({
      maxLength: 128,
      expected: 'the secret of a link',
      description: 'The secret of the link that the start prints; it is good once, for 15 minutes',
    }),
  ),
});

const done = Type.Object({ success: Type.Literal(true), message: Type.String() });

export const signInStateDescription: RouteDescription = {
  operationId: 'getSignInState',
  summary: 'Whether this browser is signed in; keeps its cookie alive',
  tag: 'access',
  answers: {
    200: json(
      Type.Object({
        success: Type.Literal(true),
        signedIn: Type.Boolean(),
        serviceName: Type.String(),
        version: Type.Optional(Type.String({ description: 'For those who are signed in' })),
      }),
      'The state.',
    ),
  },
};

export const signInDescription: RouteDescription = {
  operationId: 'signIn',
  summary: 'The API key, or the secret of a link, for a cookie',
  details:
    'Needs the header `X-Requested-With: facepool`. The cookie is HttpOnly and SameSite=Strict, and stands for the API key where a request is one of our own page: for reading, or with that header and an Origin of this host. 10 attempts a minute and client.',
  tag: 'access',
  body: { content: { 'application/json': Credentials } },
  answers: {
    200: json(
      done,
      'Signed in.',
      Type.Object({ 'Set-Cookie': Type.String({ description: 'facepool_session' }) }),
    ),
  },
  errors: {
    400: ['HEADER_REQUIRED', 'CREDENTIALS_REQUIRED'],
    401: ['WRONG_KEY', 'LINK_USED'],
    429: ['RATE_LIMITED'],
  },
};

export const signOutDescription: RouteDescription = {
  operationId: 'signOut',
  summary: 'Ends the session of this browser; every copy of its cookie is worthless from here on',
  tag: 'access',
  answers: { 200: json(done, 'Signed out.') },
};

const html = { 'text/html': bytes('The page') };

export const rootDescription: RouteDescription = {
  operationId: 'getRoot',
  summary: 'The page for browsers; for others, that the server runs',
  tag: 'page',
  answers: {
    200: {
      description: 'The page, or the greeting.',
      content: {
        ...html,
        'application/json': Type.Object({
          success: Type.Literal(true),
          message: Type.String(),
          service: Type.String(),
          version: Type.String(),
          status: Type.Literal('running'),
        }),
      },
    },
    304: { description: 'It has not changed.' },
  },
  errors: { 503: ['PAGE_NOT_BUILT'] },
};

export const signInPageDescription: RouteDescription = {
  operationId: 'getSignInPage',
  summary: 'Where the link of the start leads: the page, whose script uses the secret',
  tag: 'page',
  query: Type.Object({
    once: Type.Optional(Type.String({ description: 'The secret, which only the script looks at' })),
  }),
  answers: {
    200: { description: 'The page.', content: html },
    304: { description: 'It has not changed.' },
  },
  errors: { 503: ['PAGE_NOT_BUILT'] },
};

export const pagePartDescription: RouteDescription = {
  operationId: 'getPagePart',
  summary: 'A file of the page; its name holds a hash of its content',
  tag: 'page',
  path: Type.Object({ name: Type.String({ description: 'Name of the file' }) }),
  answers: {
    200: {
      description: 'The file.',
      content: {
        'text/javascript': bytes('A module'),
        'text/css': bytes('The style sheet'),
        'image/svg+xml': bytes('The icon'),
      },
    },
    304: { description: 'It has not changed.' },
  },
  errors: { 404: ['NOT_FOUND'], 503: ['PAGE_NOT_BUILT'] },
};
