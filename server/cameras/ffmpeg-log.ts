/** What ffmpeg writes on its standard error, line by line: what it tells about the stream, and its complaints, without secrets. */

/** What a line says that somebody acts on. */
export type LogEvent =
  /** A coded frame came from the camera. */
  | { readonly kind: 'packet' }
  /** A frame was decoded; `timeS` is its own time where it has one. */
  | { readonly kind: 'decoded'; readonly isKeyFrame: boolean; readonly timeS: number | null }
  /** The decoder filled parts of a picture with a guess. */
  | { readonly kind: 'damaged' }
  | { readonly kind: 'stream'; readonly codec: string; readonly declaredFrameRate: number | null };

const MAX_LINE_LENGTH = 4096;
const MAX_KEPT_LINES = 20;
const MAX_KEPT_LENGTH = 300;
const DAMAGE = /corrupt decoded frame|error while decoding MB|concealing \d+ DC/;
/** Codec and rate of an input; an output's codec is a wrapper. */
const STREAM = /Stream #0:\d+.*?: Video: (?!wrapped_avframe|rawvideo)(\w+)(?:.*?([\d.]+) fps)?/;
const COMPLAINT = /\[(?:warning|error|fatal|panic)\] /;
const CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s/]+@/gi;

export interface LogSecrets {
  readonly secretUrl: string;
  readonly redactedUrl: string;
}

export class FfmpegLog {
  readonly #onEvent: (event: LogEvent) => void;
  readonly #secrets: LogSecrets | null;
  readonly #complaints: string[] = [];
  #rest = '';

  /** @param secrets what must not stand in a complaint */
  constructor(onEvent: (event: LogEvent) => void, secrets: LogSecrets | null) {
    this.#onEvent = onEvent;
    this.#secrets = secrets;
  }

  /** The last warnings and errors, oldest first, each short; those about a damaged picture count only as events. */
  get complaints(): readonly string[] {
    return this.#complaints;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    // A line without an end is cut: its head says what it is.
    this.#rest = lines.pop()!.slice(0, MAX_LINE_LENGTH);
    for (const line of lines) this.#read(line);
  }

  end(): void {
    if (this.#rest) this.#read(this.#rest);
    this.#rest = '';
  }

  #read(line: string): void {
    const event = eventOf(line);
    if (event) this.#onEvent(event);
    else if (COMPLAINT.test(line)) this.#keep(line);
  }

  #keep(line: string): void {
    const { secretUrl, redactedUrl } = this.#secrets ?? { secretUrl: '', redactedUrl: '' };
    const clean = (secretUrl ? line.replaceAll(secretUrl, redactedUrl) : line)
      .replace(CREDENTIALS, '$1***@')
      .replace(/ @ 0x[0-9a-f]+/g, '');
    this.#complaints.push(clean.slice(0, MAX_KEPT_LENGTH));
    if (this.#complaints.length > MAX_KEPT_LINES) this.#complaints.shift();
  }
}

function eventOf(line: string): LogEvent | null {
  if (line.includes('demuxer -> ')) return { kind: 'packet' };
  if (line.includes('decoder -> '))
    return { kind: 'decoded', isKeyFrame: line.includes(' keyframe:1'), timeS: timeOf(line) };
  if (DAMAGE.test(line)) return { kind: 'damaged' };
  const stream = STREAM.exec(line);
  if (!stream) return null;
  const declaredFrameRate = stream[2] === undefined ? null : Number(stream[2]);
  return { kind: 'stream', codec: stream[1]!, declaredFrameRate };
}

/** ffmpeg 7 calls it pts_time, those before it best_effort_ts_time. */
function timeOf(line: string): number | null {
  const text = /(?:best_effort_ts_time| pts_time):(-?[\d.]+)/.exec(line)?.[1];
  return text === undefined ? null : Number(text);
}
