/** The settings of cameras that are watched live: a part of server/settings.ts. */
import Type from 'typebox';

const workedOut = (words: string) => ({ workedOut: words });

export const liveSettings = {
  MEDIASOUP_WORKER_BIN: Type.Optional(
    Type.String({
      ...workedOut('where `npm run live:install` puts it'),
      pattern: '^/',
      expected: 'an absolute path',
      description: 'The media worker: cameras are seen by WebRTC with it, as MJPEG without',
    }),
  ),
  MEDIA_WORKERS: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 64,
    description: 'Media workers; each is a process, and cameras are spread over them',
  }),
  ANNOUNCED_IP: Type.Optional(
    Type.String({
      ...workedOut('the addresses of this machine'),
      pattern: '^[A-Za-z0-9.:-]{1,253}$',
      expected: 'an IP address or a host name',
      description:
        'Address under which browsers reach the media workers; needed behind NAT and in containers',
    }),
  ),
  RTC_MIN_PORT: Type.Integer({
    default: 40_000,
    minimum: 1024,
    maximum: 65_535,
    description:
      'First port, UDP and TCP, that browsers reach media workers at; each worker takes one that is free',
  }),
  RTC_MAX_PORT: Type.Integer({
    default: 40_099,
    minimum: 1024,
    maximum: 65_535,
    description: 'Last of these ports',
  }),
  LIVE_VIEWERS: Type.Integer({
    default: 50,
    minimum: 1,
    maximum: 10_000,
    description: 'Most viewers of cameras at a time, by WebRTC; as many again by MJPEG',
  }),
  MAX_SAVED_CAMERAS: Type.Integer({
    default: 64,
    minimum: 1,
    maximum: 32_767,
    description: 'Most cameras that can be saved',
  }),
};
