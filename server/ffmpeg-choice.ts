/** The ffmpeg that is used, found once at the start; without one the server works, but for cameras, videos and recordings. */
import { FfmpegMissingError, type FfmpegProgram, findFfmpeg } from './cameras/ffmpeg-program.ts';
import { StartError } from './errors.ts';
import type { Log } from './log.ts';
import type { Config } from './settings.ts';

/**
 * @param searchPath folders of programs, as PATH writes them
 * @throws {StartError} where FFMPEG_PATH names one that cannot be used
 */
export async function chooseFfmpeg(
  config: Config,
  searchPath: string,
  log: Log,
): Promise<FfmpegProgram | null> {
  try {
    const program = await findFfmpeg({ path: config.FFMPEG_PATH ?? null, searchPath });
    for (const warning of program.warnings) log.warn({ ffmpeg: program.path }, warning);
    return program;
  } catch (error) {
    if (!(error instanceof FfmpegMissingError)) throw error;
    if (config.FFMPEG_PATH !== undefined) throw new StartError(error.message);
    log.error({ reason: error.message }, 'no cameras, face videos and recordings: there is no ffmpeg');
    return null;
  }
}
