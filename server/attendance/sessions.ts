/** The sessions that run, one for a slot at most. They live in memory: a restart ends them. */
import type { SessionRequest } from '../../workers/protocol.ts';
import { ServerError } from '../errors.ts';
import type { SessionDelivery } from './outbox.ts';
import { Session, type SessionDependencies } from './session.ts';

export interface SessionsOptions extends SessionDependencies {
  readonly maxSessions: number;
  readonly maxHours: number;
}

export interface StoppedSession extends SessionDelivery {
  readonly slotId: number;
  readonly durationS: number;
  readonly stoppedAt: Date;
}

export interface Sessions {
  /** @throws {ServerError} 409, 429 MAX_SESSIONS_REACHED, 500 ALL_CAMERAS_FAILED, 503 while the server stops */
  start(request: SessionRequest): Promise<Session>;
  /** @throws {ServerError} 404 SESSION_NOT_FOUND */
  stop(slotId: number): Promise<StoppedSession>;
  list(): readonly Session[];
  startedToday(): number;
  /** Ends all of them; what they have not sent stays in the outbox. */
  close(): Promise<void>;
}

export function createSessions(options: SessionsOptions): Sessions {
  const { log, metrics } = options;
  const running = new Map<number, { session: Session; timer: NodeJS.Timeout }>();
  /** Slots whose cameras are being tried. */
  const starting = new Map<number, Promise<unknown>>();
  const ending = new Set<Promise<unknown>>();
  let closing = false;
  let today = { day: dayOf(new Date()), sessions: 0 };

  function refuse({ slotId }: SessionRequest): void {
    if (closing)
      throw new ServerError(503, 'SHUTTING_DOWN', 'the server is shutting down', { retryAfterS: 5 });
    if (running.has(slotId) || starting.has(slotId))
      throw new ServerError(
        409,
        'SESSION_ALREADY_EXISTS',
        `Face recognition session already exists for slot ${slotId}`,
      );
    if (running.size + starting.size >= options.maxSessions)
      throw new ServerError(
        429,
        'MAX_SESSIONS_REACHED',
        `Maximum number of concurrent sessions (${options.maxSessions}) reached`,
        { retryAfterS: 60 },
      );
  }

  async function begin(request: SessionRequest): Promise<Session> {
    const { slotId } = request;
    const session = await Session.start(request, options);
    const timer = setTimeout(() => {
      log.warn({ slotId, maxHours: options.maxHours }, 'session ended: it ran as long as a session may');
      end(slotId, 'expired', true).catch((error: unknown) =>
        log.error({ err: error, slotId }, 'a session did not end well'),
      );
    }, options.maxHours * 3_600_000);
    timer.unref();
    running.set(slotId, { session, timer });
    const day = dayOf(session.startedAt);
    today = { day, sessions: (today.day === day ? today.sessions : 0) + 1 };
    log.info(
      {
        slotId,
        roomId: request.roomId,
        students: request.students.length,
        cameras: request.cameras.length,
        activeCameras: session.activeCameras,
      },
      'session started',
    );
    for (const { code, message, students } of request.warnings) log.warn({ slotId, code, students }, message);
    return session;
  }

  async function end(slotId: number, reason: string, deliver: boolean): Promise<StoppedSession | null> {
    const entry = running.get(slotId);
    if (entry === undefined) return null;
    running.delete(slotId);
    clearTimeout(entry.timer);
    const ended = finish(entry.session, slotId, reason, deliver);
    // Whoever closes waits until it is counted, too.
    ending.add(ended);
    return ended.finally(() => ending.delete(ended));
  }

  async function finish(
    session: Session,
    slotId: number,
    reason: string,
    deliver: boolean,
  ): Promise<StoppedSession> {
    const delivery = await session.stop({ deliver });
    const stoppedAt = new Date();
    const durationS = Math.floor((stoppedAt.getTime() - session.startedAt.getTime()) / 1000);
    metrics.sessionsEnded.inc({ reason });
    log.info({ slotId, reason, durationS, ...delivery, ...session.counts }, 'session ended');
    return { slotId, durationS, stoppedAt, ...delivery };
  }

  return {
    start(request) {
      try {
        refuse(request);
      } catch (error) {
        return Promise.reject(error);
      }
      const { slotId } = request;
      const start = begin(request);
      // The slot goes from one map to the other without a gap: `begin` has entered the session by then.
      starting.set(
        slotId,
        start.then(
          () => void starting.delete(slotId),
          () => void starting.delete(slotId),
        ),
      );
      return start;
    },

    async stop(slotId) {
      await starting.get(slotId);
      const stopped = await end(slotId, 'stopped', true);
      if (stopped === null)
        throw new ServerError(
          404,
          'SESSION_NOT_FOUND',
          `No active face recognition session found for slot ${slotId}`,
        );
      return stopped;
    },

    list: () => [...running.values()].map(({ session }) => session),

    startedToday: () => (today.day === dayOf(new Date()) ? today.sessions : 0),

    async close() {
      closing = true;
      await Promise.all(starting.values());
      await Promise.all([...running.keys()].map((slotId) => end(slotId, 'shutdown', false)));
      await Promise.all(ending);
    },
  };
}

/** In the time zone of the machine, as people count days. */
const dayOf = (date: Date): string => date.toDateString();
