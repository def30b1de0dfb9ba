/**
 * Reads and checks the body of process-session, in the order of the contract: what is missing, what is empty, what is wrong in itself.
 * Runs on a thread of its own: 5,000 students are 54 MB of JSON.
 */
import { createSpaceCheck } from './embedding-space.ts';
import type {
  SessionCamera,
  SessionConfig,
  SessionRequestAnswer,
  SessionRequestTask,
  SessionStudent,
} from './protocol.ts';
import { SESSION_LIMITS } from './session-body.ts';
import { WarningList } from './session-warnings.ts';

const limits = SESSION_LIMITS;
const DIMENSIONS = limits.vector.maxItems;
/** Beyond what rounding to three decimals does to a length of 1. */
const MAX_LENGTH_ERROR = 0.01;
/** Nothing that a network made is as short; dividing by less would only enlarge rounding errors. */
const LEAST_LENGTH = 1e-6;

type Fields = Readonly<Record<string, unknown>>;

/** What a schema says of a number. */
interface Range {
  readonly minimum: number;
  readonly maximum: number;
}

class Refusal extends Error {
  readonly code: string;
  readonly detail: string | null;

  constructor(code: string, message: string, detail: string | null = null) {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}

/** What is wrong with the request is an answer, not an exception. Takes about 0.4 s for 54 MB. */
export function readSessionRequest(task: SessionRequestTask): SessionRequestAnswer {
  try {
    return { kind: 'request', request: readRequest(task) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { kind: 'refused', code: error.code, message: error.message, detail: error.detail };
  }
}

function readRequest({ body, embedder, defaults }: SessionRequestTask) {
  const document = parseObject(body);
  const { slotId, roomId, students, cameras, config } = document;
  if (isMissing(slotId)) throw new Refusal('SLOT_ID_REQUIRED', 'Slot ID is required');
  if (isMissing(roomId)) throw new Refusal('ROOM_ID_REQUIRED', 'Room ID is required');
  if (isMissing(students)) throw new Refusal('STUDENTS_REQUIRED', 'Students array is required');
  if (isMissing(cameras)) throw new Refusal('CAMERAS_REQUIRED', 'Cameras array is required');
  if (isMissing(config)) throw new Refusal('CONFIG_REQUIRED', 'Config is required');
  const settings = asObject('config', config);
  if (isMissing(settings.callbackUrl)) throw new Refusal('CALLBACK_URL_REQUIRED', 'Callback URL is required');
  const studentList = asArray('students', students);
  const cameraList = asArray('cameras', cameras);
  if (studentList.length === 0) throw new Refusal('STUDENTS_EMPTY', 'Students array must not be empty');
  if (cameraList.length === 0) throw new Refusal('CAMERAS_EMPTY', 'Cameras array must not be empty');
  limitCount('students', studentList, limits.students);
  limitCount('cameras', cameraList, limits.cameras);
  const ids = {
    slotId: wholeNumber('slotId', slotId, limits.slotId),
    roomId: wholeNumber('roomId', roomId, limits.shortId),
  };
  const warnings = new WarningList();
  const roster = readStudents(studentList, embedder, warnings);
  const read = { ...ids, ...roster, cameras: readCameras(cameraList) };
  return { ...read, config: readConfig(settings, defaults), warnings: warnings.list() };
}

function parseObject(body: Uint8Array): Fields {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new Refusal('MALFORMED_JSON', 'the body: expected JSON in UTF-8, received other bytes');
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    // V8 quotes what stands around the place: that may be an address with a password.
    const place = /at position \d+/.exec((error as Error).message)?.[0];
    throw new Refusal('MALFORMED_JSON', `the body is not JSON${place ? `: it breaks off ${place}` : ''}`);
  }
  return asObject('the body', document);
}

function readStudents(
  list: readonly unknown[],
  embedder: SessionRequestTask['embedder'],
  warnings: WarningList,
) {
  const students: SessionStudent[] = [];
  const embeddings = new Float32Array(list.length * DIMENSIONS);
  const usable = new Int32Array(list.length);
  const isOfModel = createSpaceCheck(embedder);
  const indexByUserId = new Map<number, number>();
  let rows = 0;
  for (const [position, entry] of list.entries()) {
    const field = `students[${position}]`;
    const given = asObject(field, entry);
    const student: SessionStudent = {
      userId: wholeNumber(`${field}.userId`, given.userId, limits.userId),
      fullName: text(`${field}.fullName`, given.fullName, limits.text),
      rollNumber: text(`${field}.rollNumber`, given.rollNumber, limits.text),
      embeddingVersion: wholeNumber(
        `${field}.embeddingVersion`,
        given.embeddingVersion,
        limits.embeddingVersion,
      ),
    };
    const row = embeddings.subarray(rows * DIMENSIONS, (rows + 1) * DIMENSIONS);
    const length = readVector(`${field}.embeddingVector`, given.embeddingVector, row);
    const earlier = indexByUserId.get(student.userId);
    if (earlier === undefined) {
      indexByUserId.set(student.userId, students.length);
      students.push(student);
    } else {
      // A second picture of somebody: both count, and the newer version is the one that is told.
      warnings.add('DUPLICATE_STUDENT', student.userId);
      if (student.embeddingVersion > students[earlier]!.embeddingVersion) students[earlier] = student;
    }
    if (length < LEAST_LENGTH) {
      warnings.add('EMBEDDING_ZERO', student.userId);
      continue;
    }
    for (let index = 0; index < DIMENSIONS; index++) row[index]! /= length;
    if (Math.abs(length - 1) > MAX_LENGTH_ERROR) warnings.add('EMBEDDING_NOT_UNIT_LENGTH', student.userId);
    if (!isOfModel(row)) warnings.add('EMBEDDING_OF_ANOTHER_MODEL', student.userId);
    usable[rows++] = earlier ?? students.length - 1;
  }
  return { students, embeddings: embeddings.slice(0, rows * DIMENSIONS), usable: usable.slice(0, rows) };
}

/** Writes the numbers into `row`, and gives their length. */
function readVector(field: string, value: unknown, row: Float32Array): number {
  if (!Array.isArray(value) || value.length !== DIMENSIONS) {
    const came = Array.isArray(value) ? `${value.length} numbers` : described(value);
    const detail = `${field}: expected ${DIMENSIONS} numbers, received ${came}`;
    throw new Refusal(
      'INVALID_EMBEDDING_DIMENSION',
      `Embedding vector must have exactly ${DIMENSIONS} dimensions`,
      detail,
    );
  }
  let squares = 0;
  for (let index = 0; index < DIMENSIONS; index++) {
    const number: unknown = value[index];
    if (typeof number !== 'number' || !(Math.abs(number) <= limits.vectorElement.maximum))
      throw invalid(`${field}[${index}]`, 'a finite number', number);
    squares += number * number;
    row[index] = number;
  }
  return Math.sqrt(squares);
}

function readCameras(list: readonly unknown[]): SessionCamera[] {
  const seen = new Map<number, number>();
  return list.map((entry, position) => {
    const field = `cameras[${position}]`;
    const given = asObject(field, entry);
    const id = wholeNumber(`${field}.id`, given.id, limits.shortId);
    const earlier = seen.get(id);
    if (earlier !== undefined)
      throw invalid(`${field}.id`, `another id than that of cameras[${earlier}]`, id);
    seen.set(id, position);
    const name = text(`${field}.name`, given.name, limits.text);
    const { rtspUrl } = given;
    if (rtspUrl === undefined || rtspUrl === null) return { id, name, rtspUrl: '' };
    // Never shown, not even in part: it may hold a password.
    if (typeof rtspUrl !== 'string' || rtspUrl === '' || rtspUrl.length > limits.url.maxLength)
      throw new Refusal(
        'INVALID_FIELD',
        `${field}.rtspUrl: expected the URL of an RTSP stream, at most ${limits.url.maxLength} characters`,
      );
    return { id, name, rtspUrl };
  });
}

function readConfig(given: Fields, defaults: SessionRequestTask['defaults']): SessionConfig {
  const similarityThreshold = given.similarityThreshold ?? defaults.similarityThreshold;
  if (!isWithin(similarityThreshold, limits.similarityThreshold))
    throw new Refusal('INVALID_SIMILARITY_THRESHOLD', 'Similarity threshold must be between 0.0 and 1.0');
  const scanIntervalS = given.scanInterval ?? defaults.scanIntervalS;
  if (!isWhole(scanIntervalS, limits.scanInterval))
    throw new Refusal(
      'INVALID_SCAN_INTERVAL',
      `Scan interval must be a whole number of seconds from ${limits.scanInterval.minimum} to ${limits.scanInterval.maximum}`,
    );
  const { callbackUrl } = given;
  if (typeof callbackUrl !== 'string' || callbackUrl.length > limits.url.maxLength)
    throw new Refusal('INVALID_CALLBACK_URL', 'Callback URL must be an http or https URL');
  const minMargin = given.minMargin ?? limits.minMargin.default;
  if (!isWithin(minMargin, limits.minMargin))
    throw invalid('config.minMargin', 'a number from 0 to 1', minMargin);
  const minSightings = wholeNumber(
    'config.minSightings',
    given.minSightings ?? limits.minSightings.default,
    limits.minSightings,
  );
  return { similarityThreshold, scanIntervalS, callbackUrl, minMargin, minSightings };
}

const isMissing = (value: unknown): boolean => value === undefined || value === null;

const isWithin = (value: unknown, { minimum, maximum }: Range): value is number =>
  typeof value === 'number' && value >= minimum && value <= maximum;

const isWhole = (value: unknown, range: Range): value is number =>
  Number.isInteger(value) && isWithin(value, range);

function wholeNumber(field: string, value: unknown, range: Range): number {
  if (!isWhole(value, range))
    throw invalid(field, `a whole number from ${range.minimum} to ${range.maximum}`, value);
  return value;
}

function text(field: string, value: unknown, { maxLength }: { readonly maxLength: number }): string {
  if (typeof value !== 'string' || value.length > maxLength)
    throw invalid(field, `text of at most ${maxLength} characters`, value);
  return value;
}

function asObject(field: string, value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(field, 'an object', value);
  return value as Fields;
}

function asArray(field: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(field, 'an array', value);
  return value;
}

function limitCount(
  field: string,
  list: readonly unknown[],
  { maxItems }: { readonly maxItems: number },
): void {
  if (list.length > maxItems)
    throw new Refusal('INVALID_FIELD', `${field}: expected at most ${maxItems}, received ${list.length}`);
}

function invalid(field: string, expected: string, received: unknown): Refusal {
  return new Refusal('INVALID_FIELD', `${field}: expected ${expected}, received ${described(received)}`);
}

function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  return Array.isArray(value) ? 'an array' : 'an object';
}
