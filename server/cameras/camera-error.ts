/** Why a camera gives no picture, in a code and in words that may be shown: they hold no credentials. */
import type { FfmpegExit } from './ffmpeg.ts';

export type CameraFault =
  | 'unauthorized'
  | 'not found'
  | 'unreachable'
  | 'timeout'
  | 'no video'
  | 'frozen'
  | 'garbled'
  | 'ended'
  | 'ffmpeg failed'
  | 'cancelled';

export class CameraError extends Error {
  override readonly name = 'CameraError';
  readonly fault: CameraFault;

  constructor(fault: CameraFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** In the order in which they are looked for: ffmpeg ends most failures with the same general words. */
const SIGNS: readonly (readonly [RegExp, CameraFault, string])[] = [
  [/\b401\b/, 'unauthorized', 'The camera refused the user name or the password (401 Unauthorized)'],
  [/\b403\b/, 'unauthorized', 'The camera refused access (403 Forbidden)'],
  [/\b404\b/, 'not found', 'The camera has no stream of this name (404 Not Found)'],
  [/\b461\b/, 'no video', 'The camera does not send over TCP (461 Unsupported Transport)'],
  [/Connection refused/i, 'unreachable', 'Connection refused'],
  [/No route to host|Network is unreachable/i, 'unreachable', 'No route to the camera'],
  [/Failed to resolve|Name or service not known/i, 'unreachable', 'The host name of the camera is not known'],
  [/Connection timed out|Operation timed out/i, 'timeout', 'Connection timeout'],
  [/matches no streams|does not contain any stream/i, 'no video', 'The camera sends no video'],
  [/not on whitelist|not in whitelist/i, 'no video', 'The camera sends video of a kind that is not taken'],
];

/** What the end of an ffmpeg that nobody asked to end says about the camera. */
export function explainExit(exit: FfmpegExit): CameraError {
  if (exit.fault) return new CameraError('ffmpeg failed', `ffmpeg failed: ${exit.fault.message}`);
  const text = exit.complaints.join('\n');
  for (const [sign, fault, message] of SIGNS) if (sign.test(text)) return new CameraError(fault, message);
  if (exit.signal) return new CameraError('ffmpeg failed', `ffmpeg was ended by ${exit.signal}`);
  const last = exit.complaints.findLast((line) => /\[(?:error|fatal|panic)\]/.test(line));
  return new CameraError('ended', last ? `The stream ended: ${withoutPrefix(last)}` : 'The stream ended');
}

const withoutPrefix = (line: string) => line.replace(/^(?:\[[^\]]*\] )+/, '');

export const timeoutError = (limitMs: number) =>
  new CameraError('timeout', `Connection timeout after ${limitMs / 1000} seconds`);
