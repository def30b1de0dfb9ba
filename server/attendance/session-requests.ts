/** Hands the bodies of process-session to the thread that reads them; it ends when it has had nothing to do for a while. */
import { Piscina } from 'piscina';
import type { EmbedderModel } from '../../models/manifest.ts';
import type { SessionRequest, SessionRequestAnswer, SessionRequestTask } from '../../workers/protocol.ts';
import { invalidField, overloaded, ServerError } from '../errors.ts';
import type { Log } from '../log.ts';

export interface SessionRequestReader {
  /**
   * @param body the request's body, given away
   * @throws {ServerError} 400 with the contract's code, 429 where several wait already
   */
  read(body: Uint8Array<ArrayBuffer>): Promise<SessionRequest>;
  close(): Promise<void>;
}

export interface SessionRequestOptions {
  /** The model in use. */
  readonly embedder: EmbedderModel;
  readonly defaults: SessionRequestTask['defaults'];
  /** The address of a camera that is known here, null where it is not; without it every camera has to bring its own. */
  readonly addressOf?: (cameraId: number) => string | null;
  readonly log: Log;
}

const THREAD_FILE = new URL('../../workers/session-request-thread.ts', import.meta.url).href;
const IDLE_TIMEOUT_MS = 30_000;
const MAX_WAITING = 4;
/** 64 MB of JSON at its worst, empty arrays and objects, need more: then the thread ends and not the server. */
const MAX_HEAP_MB = 1024;
const URL_EXPECTED = 'the URL of an RTSP stream';

export function createSessionRequestReader(options: SessionRequestOptions): SessionRequestReader {
  const piscina = new Piscina({
    filename: THREAD_FILE,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_TIMEOUT_MS,
    maxQueue: MAX_WAITING,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  piscina.on('error', () => {});

  return {
    async read(body) {
      if (piscina.queueSize >= MAX_WAITING) throw overloaded(1);
      const task: SessionRequestTask = {
        body,
        embedder: options.embedder,
        defaults: options.defaults,
      };
      let answer: SessionRequestAnswer;
      try {
        answer = (await piscina.run(task, { transferList: [body.buffer] })) as SessionRequestAnswer;
      } catch (error) {
        if ((error as { code?: string }).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
        throw new ServerError(400, 'MALFORMED_JSON', 'the body takes too much memory to be read', {
          cause: error,
        });
      }
      if (answer.kind === 'request') return withAddresses(answer.request, options.addressOf);
      if (answer.detail !== null)
        options.log.warn({ code: answer.code, detail: answer.detail }, 'session refused');
      throw new ServerError(400, answer.code, answer.message);
    },
    close: () => piscina.destroy(),
  };
}

/** @throws {ServerError} 400 for a camera that brings no address and is not known here: the contract asks for one */
function withAddresses(
  request: SessionRequest,
  addressOf: SessionRequestOptions['addressOf'],
): SessionRequest {
  const cameras = request.cameras.map((camera, position) => {
    if (camera.rtspUrl !== '') return camera;
    const rtspUrl = addressOf?.(camera.id) ?? null;
    if (rtspUrl !== null) return { ...camera, rtspUrl };
    const expected =
      addressOf === undefined ? URL_EXPECTED : `${URL_EXPECTED} (no camera ${camera.id} is saved here)`;
    throw invalidField(`cameras[${position}].rtspUrl`, expected, undefined);
  });
  return { ...request, cameras };
}
