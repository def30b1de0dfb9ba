/** Recognition sessions of the attendance API: started, stopped, listed. */

import { contractTime } from '../../attendance/recognition.ts';
import type { Session } from '../../attendance/session.ts';
import type { SessionRequestReader } from '../../attendance/session-requests.ts';
import type { Sessions } from '../../attendance/sessions.ts';
import { httpUrl, isHostAllowed, type UrlPolicy } from '../../attendance/url-policy.ts';
import { ServerError } from '../../errors.ts';
import type { BodyReader } from '../body.ts';
import {
  listSessionsDescription,
  StopBody,
  startSessionDescription,
  stopSessionDescription,
} from '../descriptions/attendance.ts';
import { readJsonObject } from '../read-fields.ts';
import type { Context, Route } from '../route.ts';
import { validate } from '../validate.ts';

export interface SessionDependencies {
  readonly sessions: Sessions;
  readonly requests: SessionRequestReader;
  /** Where callbacks may go. */
  readonly policy: UrlPolicy;
  readonly bodies: BodyReader;
}

/** 5,000 students with all the digits that JSON has for their vectors are 54 MB. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

export function sessionRoutes({ sessions, requests, policy, bodies }: SessionDependencies): Route[] {
  async function start(ctx: Context): Promise<void> {
    const request = await requests.read(await bodies.read(ctx, MAX_BODY_BYTES));
    checkCallbackUrl(request.config.callbackUrl, policy);
    const session = await sessions.start(request);
    const { slotId, roomId, config, warnings } = request;
    const activeCameras = session.activeCameras;
    ctx.body = {
      status: 200,
      message: 'Face recognition session started successfully',
      data: {
        slotId,
        roomId,
        totalStudents: request.students.length,
        totalCameras: request.cameras.length,
        activeCameras,
        failedCameras: request.cameras.length - activeCameras,
        config: { similarityThreshold: config.similarityThreshold, scanInterval: config.scanIntervalS },
        sessionStartedAt: contractTime(session.startedAt),
        // Beyond the contract, and only where there is something to say.
        ...(warnings.length > 0 ? { warnings } : {}),
      },
    };
  }

  async function stop(ctx: Context): Promise<void> {
    const body = await readJsonObject(ctx, bodies);
    if (body.slotId === undefined || body.slotId === null)
      throw new ServerError(400, 'SLOT_ID_REQUIRED', 'Slot ID is required');
    const { slotId } = validate(StopBody, body);
    const { durationS, delivered, pending, stoppedAt } = await sessions.stop(slotId);
    ctx.body = {
      status: 200,
      message: 'Face recognition session stopped successfully',
      data: {
        slotId,
        sessionDuration: durationS,
        totalRecognitions: delivered,
        sessionStoppedAt: contractTime(stoppedAt),
        // Beyond the contract: what the backend has not taken yet and will get later.
        ...(pending > 0 ? { pendingRecognitions: pending } : {}),
      },
    };
  }

  function list(ctx: Context): void {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {
      status: 200,
      message: 'Recognition sessions retrieved successfully',
      data: { sessions: sessions.list().map(presentSession) },
    };
  }

  const base = '/api/v1/recognition';
  const common = { access: 'always', envelope: 'attendance' } as const;
  return [
    {
      method: 'POST',
      path: `${base}/process-session`,
      ...common,
      description: startSessionDescription,
      handle: start,
    },
    {
      method: 'POST',
      path: `${base}/stop-session`,
      ...common,
      description: stopSessionDescription,
      handle: stop,
    },
    {
      method: 'GET',
      path: `${base}/sessions`,
      ...common,
      description: listSessionsDescription,
      handle: list,
    },
  ];
}

function checkCallbackUrl(text: string, policy: UrlPolicy): void {
  const url = httpUrl(text);
  if (url === null)
    throw new ServerError(400, 'INVALID_CALLBACK_URL', 'Callback URL must be an http or https URL');
  // fetch refuses such a URL; the API key is what the backend knows us by.
  if (url.username !== '' || url.password !== '')
    throw new ServerError(
      400,
      'INVALID_CALLBACK_URL',
      'Callback URL must not hold a user name or a password',
    );
  if (!isHostAllowed(policy, url))
    throw new ServerError(400, 'CALLBACK_HOST_NOT_ALLOWED', 'Callback URL must be on an allowed host');
}

function presentSession(session: Session) {
  const { request, startedAt, cameras, counts } = session;
  const { slotId, roomId, students, config } = request;
  const { delivered, pending } = session.delivery;
  const active = cameras.filter((camera) => camera.active).length;
  return {
    slotId,
    roomId,
    totalStudents: students.length,
    totalCameras: cameras.length,
    activeCameras: active,
    failedCameras: cameras.length - active,
    config: {
      similarityThreshold: config.similarityThreshold,
      scanInterval: config.scanIntervalS,
      minMargin: config.minMargin,
      minSightings: config.minSightings,
    },
    sessionStartedAt: contractTime(startedAt),
    sessionDuration: Math.floor((Date.now() - startedAt.getTime()) / 1000),
    totalRecognitions: delivered,
    pendingRecognitions: pending,
    counts,
    cameras: cameras.map(({ id, name, active, frameRate, lastFrameAt, trouble }) => ({
      id,
      name,
      active,
      frameRate: frameRate === null ? null : Math.round(frameRate * 10) / 10,
      lastFrameAt: lastFrameAt === null ? null : contractTime(lastFrameAt),
      error: trouble,
    })),
    warnings: request.warnings,
  };
}
