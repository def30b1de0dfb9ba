/** Every setting: its type, its default, what it is for. server/config.ts reads them, README.md shows them as a table. */
import Type, { type Static } from 'typebox';
import { attendanceSettings } from './attendance-settings.ts';
import { deviceSettings } from './device-settings.ts';
import { pageSettings } from './page-settings.ts';

/** A default that is worked out at the start, in words for the table. */
const workedOut = (words: string) => ({ workedOut: words });
/** Never shown: not in errors, not in logs. */
const secret = { secret: true };

const MIB = 1024 * 1024;

export const SettingsSchema = Type.Object({
  HOST: Type.String({
    default: '0.0.0.0',
    minLength: 1,
    description: 'Address to listen on; boards must be able to reach it',
  }),
  PORT: Type.Integer({
    default: 8000,
    minimum: 0,
    maximum: 65535,
    description: 'Port to listen on; 0 takes any free one',
  }),
  DATA_DIR: Type.String({
    default: './data',
    minLength: 1,
    description: 'Folder of everything that is kept: database, pictures, models, the key',
  }),
  SERVICE_NAME: Type.String({
    default: 'FUACS Face Recognition Service',
    minLength: 1,
    maxLength: 100,
    description: 'Name that `/api/v1/health` answers with',
  }),

  DATABASE_URL: Type.Optional(
    Type.String({
      ...secret,
      ...workedOut('embedded database'),
      pattern: '^postgres(ql)?://',
      expected: 'an address that starts with postgres:// or postgresql://',
      description: 'PostgreSQL with pgvector to use instead of the embedded database',
    }),
  ),
  DATABASE_POOL_SIZE: Type.Integer({
    default: 10,
    minimum: 1,
    maximum: 200,
    description: 'Most connections to the database',
  }),

  API_KEY: Type.Optional(
    Type.String({
      ...secret,
      ...workedOut('made at the first start, kept in `DATA_DIR/api-key`'),
      minLength: 16,
      pattern: '^[\\x21-\\x7e]+$',
      expected: 'at least 16 printable characters without spaces',
      description: 'Key that clients send in `X-API-Key`',
    }),
  ),
  DEVICE_KEY: Type.Optional(
    Type.String({
      ...secret,
      ...workedOut('none'),
      minLength: 8,
      pattern: '^[\\x21-\\x7e]+$',
      expected: 'at least 8 printable characters without spaces',
      description: 'Second key, good only for what boards send',
    }),
  ),
  ACCESS: Type.Enum(['devices', 'strict', 'open'], {
    default: 'devices',
    description: 'What needs a key: all but what boards send; all; nothing of the device API',
  }),
  TOKEN_LIFETIME_S: Type.Integer({
    default: 300,
    minimum: 10,
    maximum: 3600,
    description: 'Seconds that a read token of `GET /api/v1/token` is good for',
  }),
  ...pageSettings,

  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    default: 'info',
    description: 'Least severe level that is logged',
  }),
  LOG_FORMAT: Type.Enum(['auto', 'json', 'text'], {
    default: 'auto',
    description: 'JSON lines, or text for people; `auto`: text on a terminal',
  }),

  METRICS_OPEN: Type.Boolean({
    default: false,
    description: 'Whether `GET /metrics` asks for no key',
  }),

  WORKER_THREADS: Type.Optional(
    Type.Integer({
      ...workedOut('number of cores'),
      minimum: 1,
      maximum: 256,
      description: 'Threads that decode pictures and run the networks',
    }),
  ),
  PROVIDER: Type.Array(Type.Enum(['cuda', 'webgpu', 'cpu', 'wasm']), {
    default: [],
    ...workedOut('`auto`'),
    word: 'auto',
    uniqueItems: true,
    expected: 'auto, or a list of cuda, webgpu, cpu, wasm',
    description: 'What runs the networks, in the order of preference',
  }),
  DETECTOR: Type.Enum(['auto', 'ssd', 'yunet'], {
    default: 'auto',
    description: 'Face detector; `auto`: YuNet once it is there, SSD until then',
  }),
  EMBEDDER: Type.String({
    default: 'dlib-resnet-v1',
    pattern: '^[a-z0-9][a-z0-9_.-]{0,63}$',
    expected: 'the id of an embedder (`npm run models -- list`)',
    description: 'Id of the embedder',
  }),
  MODEL_DOWNLOAD: Type.Enum(['auto', 'never'], {
    default: 'auto',
    description: 'Whether the start may fetch YuNet (323 KB) in the background',
  }),
  QUEUE_LIMIT: Type.Integer({
    default: 256,
    minimum: 1,
    maximum: 100_000,
    description: 'Pictures that may wait for a thread; more are answered 429',
  }),

  SIMILARITY_THRESHOLD: Type.Number({
    default: 0.85,
    minimum: 0,
    maximum: 1,
    description: 'Least cosine similarity at which a face gets a name',
  }),
  FACE_RECOGNITION_TOLERANCE: Type.Optional(
    Type.Number({
      ...workedOut('none'),
      minimum: 0.01,
      maximum: 1,
      description:
        "The older recogniser's distance (0.6 was its default); replaces SIMILARITY_THRESHOLD for the dlib embedder",
    }),
  ),
  GALLERY_FPIR: Type.Number({
    default: 0.01,
    minimum: 0.000001,
    maximum: 1,
    description: 'Chance at most that a stranger is taken for a permitted person, however many are enrolled',
  }),
  PERMITTED_FACES_DIR: Type.Optional(
    Type.String({
      ...workedOut('`DATA_DIR/permitted_faces`'),
      minLength: 1,
      description: 'Pictures here are enrolled at the start under the name of their file',
    }),
  ),
  MAX_FACES: Type.Integer({
    default: 200,
    minimum: 1,
    maximum: 2000,
    description: 'Most faces looked at in one picture, the best first',
  }),

  ENHANCE: Type.Enum(['full', 'fast', 'off'], {
    default: 'full',
    description:
      'Whether raw frames of boards are denoised, merged over time and corrected; `fast`: by a cheaper filter, and not merged',
  }),
  FRAME_RETENTION_S: Type.Integer({
    default: 600,
    minimum: 1,
    maximum: 31_536_000,
    description: 'Seconds that frames of boards are kept',
  }),
  FRAME_STORAGE_BYTES: Type.Integer({
    default: 2048 * MIB,
    minimum: MIB,
    description: 'Most bytes of frames that are kept; the oldest go first',
  }),
  KEEP_RAW_FRAMES: Type.Boolean({ default: false, description: 'Also keep frames as they came (`?raw=1`)' }),

  ...deviceSettings,
  ...attendanceSettings,

  MAX_UPLOAD_BYTES: Type.Integer({
    default: 25 * MIB,
    minimum: 1024,
    maximum: 1024 * MIB,
    description: 'Largest body of a picture upload',
  }),
  MAX_PICTURE_PIXELS: Type.Integer({
    default: 50_000_000,
    minimum: 1024,
    maximum: 1_000_000_000,
    description: 'Largest picture, width times height',
  }),
  BODY_MEMORY_BYTES: Type.Integer({
    default: 256 * MIB,
    minimum: MIB,
    description: 'Memory for bodies that are being received; more are answered 429',
  }),
  REQUEST_TIMEOUT_MS: Type.Integer({
    default: 30_000,
    minimum: 1000,
    maximum: 3_600_000,
    description: 'Milliseconds in which a client has to send its whole request',
  }),
  MAX_CONNECTIONS: Type.Integer({
    default: 2000,
    minimum: 1,
    maximum: 100_000,
    description: 'Most connections at a time; more are closed at once',
  }),
  SHUTDOWN_TIMEOUT_MS: Type.Integer({
    default: 20_000,
    minimum: 100,
    maximum: 600_000,
    description: 'Milliseconds that work under way gets to finish after SIGTERM',
  }),

  RATE_LIMIT_MAX: Type.Integer({
    default: 100_000,
    minimum: 1,
    description: 'Calls under `/api/` that a client without the key may make per window',
  }),
  RATE_LIMIT_WINDOW_MS: Type.Integer({
    default: 60_000,
    minimum: 100,
    maximum: 86_400_000,
    description: 'Length of that window in milliseconds',
  }),
  TRUST_PROXY: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 16,
    description: 'Number of proxies in front, whose `X-Forwarded-For` entries are believed',
  }),
  CORS_ORIGIN: Type.Array(Type.String({ pattern: '^(\\*|https?://[^/\\s]+)$' }), {
    default: [],
    ...workedOut('none'),
    expected: 'a list of origins such as https://example.org, or *',
    description: 'Web origins whose pages may call this server',
  }),
});

export type Config = Static<typeof SettingsSchema>;
export type SettingName = keyof Config;

/** What a property of the schema says about itself, beyond what JSON Schema defines. */
export interface SettingSchema {
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array';
  readonly enum?: readonly string[];
  readonly items?: SettingSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description: string;
  readonly expected?: string;
  readonly secret?: boolean;
  readonly workedOut?: string;
  /** A word that stands for the default of a list. */
  readonly word?: string;
}

export const settingSchemas = SettingsSchema.properties as unknown as Readonly<
  Record<SettingName, SettingSchema>
>;

/** What a value of this setting has to be, in words. */
export function expectation(schema: SettingSchema): string {
  if (schema.expected) return schema.expected;
  if (schema.enum) return `one of ${schema.enum.join(', ')}`;
  if (schema.type === 'boolean') return 'true or false';
  if (schema.type === 'integer' || schema.type === 'number') {
    const noun = schema.type === 'integer' ? 'a whole number' : 'a number';
    const { minimum, maximum } = schema;
    if (minimum !== undefined && maximum !== undefined) return `${noun} from ${minimum} to ${maximum}`;
    return minimum === undefined ? noun : `${noun} of at least ${minimum}`;
  }
  return 'text';
}

/** The settings as a Markdown table: what stands in README.md between the markers `<!-- settings -->`. */
export function settingsTable(): string {
  const rows = Object.entries(settingSchemas).map(([name, schema]) => {
    const fallback = schema.workedOut ?? `\`${schema.default}\``;
    const values = schema.enum ? ` (${schema.enum.map((value) => `\`${value}\``).join(', ')})` : '';
    return `| \`${name}\` | ${fallback} | ${schema.description}${values} |`;
  });
  return ['| setting | default | meaning |', '|---|---|---|', ...rows].join('\n');
}
