import Type from 'typebox';
import { json, type RouteDescription } from '../route-description.ts';

const unchanged = { description: 'It has not changed.' };

export const openApiDescription: RouteDescription = {
  operationId: 'getOpenApi',
  summary: 'This documentation for programs: OpenAPI 3.1',
  tag: 'operation',
  answers: {
    200: json(Type.Object({ openapi: Type.String() }, { additionalProperties: true }), 'The document.'),
    304: unchanged,
  },
};

export const docsDescription: RouteDescription = {
  operationId: 'getDocumentation',
  summary: 'This documentation for people',
  tag: 'operation',
  answers: {
    200: { description: 'The page.', content: { 'text/html': Type.String() } },
    304: unchanged,
  },
};

export const docsStyleDescription: RouteDescription = {
  operationId: 'getDocumentationStyle',
  summary: 'The stylesheet of this documentation',
  tag: 'operation',
  answers: {
    200: { description: 'The stylesheet.', content: { 'text/css': Type.String() } },
    304: unchanged,
  },
};
