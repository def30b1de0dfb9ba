/** What a board says about a raw frame in its headers: the required ones checked, the optional ones as hints. */
import Type, { type TSchema } from 'typebox';
import type { FrameFormat } from '../../workers/protocol.ts';
import { badRequest, invalidField } from '../errors.ts';

export type HeaderReader = (name: string) => string;

export interface FrameDescription {
  readonly width: number;
  readonly height: number;
  readonly format: FrameFormat | 'JPEG';
}

/** What the sensor driver tells about itself; a value is missing where its header was missing or could not be read. */
export interface SensorSettings {
  byteOrder?: 'BE' | 'LE';
  seq?: number;
  timestampMs?: number;
  sensorModel?: string;
  exposureLines?: number;
  exposureUs?: number;
  gain?: number;
  agcGain?: number;
  awb?: boolean;
  awbGains?: readonly [r: number, g: number, b: number];
  wbMode?: number;
  gamma?: boolean;
  brightness?: number;
  contrast?: number;
  saturation?: number;
  sharpness?: number;
  denoise?: number;
  lensCorrection?: boolean;
  bpc?: boolean;
  wpc?: boolean;
}

export interface IgnoredHeader {
  readonly header: string;
  readonly warning: string;
}

const BYTES_PER_PIXEL: Readonly<Record<FrameFormat, number>> = {
  RGB565: 2,
  GRAYSCALE: 1,
  YUV422: 2,
  RGB888: 3,
};
const FORMATS = [...Object.keys(BYTES_PER_PIXEL), 'JPEG'];
/** No sensor of these boards is larger; it also keeps width x height far from where numbers lose precision. */
const SIDE_PX = { minimum: 1, maximum: 16_384 } as const;
const Side = Type.Integer({ ...SIDE_PX, description: 'Pixels; of a raw frame required' });

/** @throws {ServerError} 400 that names the header, what was expected and what came */
export function readFrameDescription(header: HeaderReader, maxPixels: number): FrameDescription {
  const width = readSide('X-Frame-Width', header);
  const height = readSide('X-Frame-Height', header);
  const format = header('X-Frame-Format').trim().toUpperCase();
  if (!FORMATS.includes(format))
    throw invalidField(
      'X-Frame-Format',
      `one of ${FORMATS.join(', ')}`,
      header('X-Frame-Format') || undefined,
    );
  if (width * height > maxPixels)
    throw invalidField('X-Frame-Width x X-Frame-Height', `at most ${maxPixels} pixels`, width * height);
  if (format === 'YUV422' && width % 2 !== 0)
    throw invalidField('X-Frame-Width', 'an even number, as two pixels of YUV422 share their colour', width);
  return { width, height, format: format as FrameDescription['format'] };
}

/** Bytes that a frame must have; null for JPEG, whose length says nothing. */
export function frameBytes({ width, height, format }: FrameDescription): number | null {
  return format === 'JPEG' ? null : width * height * BYTES_PER_PIXEL[format];
}

/** @throws {ServerError} 400 where the body is not exactly as long as its headers say */
export function checkFrameLength(frame: FrameDescription, receivedBytes: number): void {
  const expectedBytes = frameBytes(frame);
  if (expectedBytes === null ? receivedBytes > 0 : receivedBytes === expectedBytes) return;
  const { width, height, format } = frame;
  const expected =
    expectedBytes === null
      ? 'a JPEG'
      : `${expectedBytes} bytes (${width} x ${height} x ${expectedBytes / width / height}, ${format})`;
  throw badRequest('FRAME_LENGTH', `body: expected ${expected}, received ${receivedBytes} bytes`);
}

function readSide(name: string, header: HeaderReader): number {
  const text = header(name).trim();
  const side = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(side >= SIDE_PX.minimum && side <= SIDE_PX.maximum))
    throw invalidField(
      name,
      `a whole number from ${SIDE_PX.minimum} to ${SIDE_PX.maximum}`,
      text || undefined,
    );
  return side;
}

interface OptionalHeader {
  readonly header: string;
  readonly key: keyof SensorSettings;
  readonly expected: string;
  readonly schema: TSchema;
  /** Undefined for a text that is not what was expected. */
  readonly parse: (text: string) => unknown;
}

type Range = readonly [least: number, most: number];
type Numbered = (
  header: string,
  key: keyof SensorSettings,
  range: Range,
  description: string,
) => OptionalHeader;

const number: Numbered = (header, key, [minimum, maximum], description) => ({
  header,
  key,
  expected: `a number from ${minimum} to ${maximum}`,
  schema: Type.Number({ minimum, maximum, description }),
  parse: (text) => numberBetween(text, minimum, maximum),
});
const whole: Numbered = (header, key, [minimum, maximum], description) => ({
  header,
  key,
  expected: `a whole number from ${minimum} to ${maximum}`,
  schema: Type.Integer({ minimum, maximum, description }),
  parse: (text) => (/^[+-]?\d+$/.test(text) ? numberBetween(text, minimum, maximum) : undefined),
});
const flag = (header: string, key: keyof SensorSettings, description: string): OptionalHeader => ({
  header,
  key,
  expected: '0 or 1',
  schema: Type.Enum(['0', '1'], { description }),
  parse: (text) => (text === '1' ? true : text === '0' ? false : undefined),
});
const text = (
  header: string,
  key: keyof SensorSettings,
  pattern: RegExp,
  expected: string,
  description: string,
): OptionalHeader => ({
  header,
  key,
  expected,
  schema: Type.String({ pattern: pattern.source, description }),
  parse: (given) => (pattern.test(given) ? given : undefined),
});
const level = (header: string, key: keyof SensorSettings) =>
  whole(header, key, [-2, 2], 'Level of the driver');

/** Ranges: sensor_t of the esp32-camera driver; exposure in lines goes further on the larger sensors than on the OV2640. */
const OPTIONAL_HEADERS: readonly OptionalHeader[] = [
  {
    ...text('X-Frame-Byte-Order', 'byteOrder', /^(BE|LE|be|le)$/, 'BE or LE', 'Of RGB565; BE without it'),
    parse: (given) => (/^(BE|LE)$/i.test(given) ? given.toUpperCase() : undefined),
  },
  whole('X-Frame-Seq', 'seq', [0, Number.MAX_SAFE_INTEGER], 'Counter of frames'),
  number(
    'X-Frame-Timestamp',
    'timestampMs',
    [0, 8.64e15],
    'Time of the capture, milliseconds since the epoch or the start of the board',
  ),
  text(
    'X-Sensor-Model',
    'sensorModel',
    /^[A-Za-z0-9_-]{1,32}$/,
    'at most 32 letters, digits, - and _',
    'Such as OV2640',
  ),
  number('X-Sensor-Exposure-Lines', 'exposureLines', [0, 65_535], 'Exposure in lines of the sensor'),
  number('X-Sensor-Exposure-Us', 'exposureUs', [0, 60_000_000], 'Exposure in microseconds'),
  number('X-Sensor-Gain', 'gain', [0.01, 1024], 'Analogue gain as a factor, 1 for none'),
  whole('X-Sensor-Agc-Gain', 'agcGain', [0, 30], "The driver's index of the gain: the factor is index + 1"),
  flag('X-Sensor-Awb', 'awb', "1 where the sensor's automatic white balance ran"),
  {
    header: 'X-Sensor-Awb-Gains',
    key: 'awbGains',
    expected: 'three numbers from 0.01 to 64, r,g,b',
    schema: Type.String({ description: 'Factors that the sensor has applied: r,g,b' }),
    parse: (given) => {
      const gains = given.split(',').map((gain) => numberBetween(gain.trim(), 0.01, 64));
      return gains.length === 3 && !gains.includes(undefined) ? gains : undefined;
    },
  },
  whole('X-Sensor-Wb-Mode', 'wbMode', [0, 4], '0 automatic, 1 sunny, 2 cloudy, 3 office, 4 home'),
  flag('X-Sensor-Gamma', 'gamma', '1 where the sensor has applied its gamma curve, 0 for linear data'),
  level('X-Sensor-Brightness', 'brightness'),
  level('X-Sensor-Contrast', 'contrast'),
  level('X-Sensor-Saturation', 'saturation'),
  level('X-Sensor-Sharpness', 'sharpness'),
  level('X-Sensor-Denoise', 'denoise'),
  flag('X-Sensor-Lens-Correction', 'lensCorrection', 'Switch of the driver'),
  flag('X-Sensor-Bpc', 'bpc', 'Switch of the driver: black pixels corrected'),
  flag('X-Sensor-Wpc', 'wpc', 'Switch of the driver: white pixels corrected'),
];

/** Every header of a frame, as the documentation shows them. Those of the sensor are hints: one that cannot be read is only named. */
export const FrameHeaders = Type.Object({
  'X-Device-Id': Type.Optional(
    Type.String({ maxLength: 128, description: 'Id of the board; `unknown_device` without it' }),
  ),
  'X-Frame-Width': Type.Optional(Side),
  'X-Frame-Height': Type.Optional(Side),
  'X-Frame-Format': Type.Optional(Type.Enum(FORMATS, { description: 'Of a raw frame required' })),
  ...Object.fromEntries(OPTIONAL_HEADERS.map(({ header, schema }) => [header, Type.Optional(schema)])),
});

/** Reads what can be read; each header that cannot is named, never guessed. */
export function readSensorSettings(header: HeaderReader): {
  readonly settings: SensorSettings;
  readonly ignored: readonly IgnoredHeader[];
} {
  const settings: Record<string, unknown> = {};
  const ignored: IgnoredHeader[] = [];
  for (const { header: name, key, expected, parse } of OPTIONAL_HEADERS) {
    const text = header(name).trim();
    if (text === '') continue;
    const value = parse(text);
    if (value === undefined) {
      const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text);
      ignored.push({ header: name, warning: `${name} was ignored: expected ${expected}, received ${shown}` });
    } else settings[key] = value;
  }
  return { settings: settings as SensorSettings, ignored };
}

function numberBetween(text: string, minimum: number, maximum: number): number | undefined {
  if (!/^[+-]?\d{1,20}(\.\d{1,20})?$/.test(text)) return undefined;
  const value = Number(text);
  return value >= minimum && value <= maximum ? value : undefined;
}
