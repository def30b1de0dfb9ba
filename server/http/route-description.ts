/**
 * What a route tells about itself to those who call it. The OpenAPI document is made from it, and the schemas in it are the very ones that
 * the route checks its input with (`readQuery`, `readFields`, `validate`): nothing is described a second time.
 */
import Type, { type TObject, type TSchema } from 'typebox';

/** Chapters of the documentation, in their order. */
export const TAGS = {
  recognition: 'Who is in a picture',
  people: 'The people whom the server knows',
  frames: 'Frames of boards: taken in, stored, listed',
  boards: 'Boards: registered, heard, commanded; what their sensors measure',
  recordings: 'Videos of the last frames',
  attendance: 'Recognition sessions over the cameras of a room',
  embeddings: 'Face videos of students',
  cameras: 'Cameras: saved, tested, looked at',
  live: 'Live pictures of cameras',
  access: 'Signing in, tokens',
  operation: 'Health, figures, and this documentation',
  page: 'The page for people',
} as const;

export type Tag = keyof typeof TAGS;

/** Schemas by media type. */
export type Content = Readonly<Record<string, TSchema>>;

export interface Answer {
  /** One sentence. */
  readonly description: string;
  /** Nothing for an answer without a body. */
  readonly content?: Content;
  /** Headers beyond those of every answer. */
  readonly headers?: TObject;
}

export interface RouteDescription {
  /** Unique, a verb and a noun: programs that generate clients name a function after it. */
  readonly operationId: string;
  /** A line. */
  readonly summary: string;
  /** What a caller has to know beyond the line, in plain sentences. */
  readonly details?: string;
  readonly tag: Tag;
  /** Parameters in the path; each is text where nothing is said of it. */
  readonly path?: TObject;
  readonly query?: TObject;
  readonly headers?: TObject;
  readonly body?: {
    readonly content: Content;
    /** Whether the call also works without a body. */
    readonly optional?: boolean;
  };
  /** By status: every answer that is no error envelope. */
  readonly answers: Readonly<Record<number, Answer>>;
  /**
   * By status: codes of the errors that this route raises. What every route of its kind may raise is added from its access, parameters
   * and body: 400 `INVALID_FIELD`, 401, 413, 415, 429, 500, 503.
   */
  readonly errors?: Readonly<Record<number, readonly string[]>>;
}

/** An answer in JSON. */
export const json = (schema: TSchema, description: string, headers?: TObject): Answer => ({
  description,
  content: { 'application/json': schema },
  ...(headers === undefined ? {} : { headers }),
});

/** Bytes: a file of a form, or the whole of a body. */
export const bytes = (description: string) => Type.Unsafe<Uint8Array>({ description });

/** The attendance API's envelope around its data. */
export const enveloped = (data: TSchema, status = 200) =>
  Type.Object({ status: Type.Literal(status), message: Type.String(), data });

/** A time of the device API: ISO 8601 with milliseconds, UTC. */
export const time = (description: string) =>
  Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$', description });

/** A time of the attendance API: ISO 8601 in whole seconds, UTC. */
export const contractTimeSchema = (description: string) =>
  Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$', description });

export const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
