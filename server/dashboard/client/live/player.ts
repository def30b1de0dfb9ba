/**
 * A camera live: by WebRTC, which comes back by itself whatever dies on the way, or as JPEG pictures where WebRTC does not work, with the
 * reason. The way back: no new picture for a while -> ask the server what is to be seen now; it knows this viewer no more -> be a new one.
 */
import type { types } from 'mediasoup-client';
import { ApiError, call, words } from '../api.ts';

export type PlayerState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'webrtc' }
  /** Show `url` in an `<img>`. */
  | { readonly kind: 'mjpeg'; readonly url: string; readonly why: string }
  /** Nothing is to be seen; it is tried again. */
  | { readonly kind: 'waiting'; readonly why: string };

export interface Player {
  close(): void;
}

interface LiveAnswer {
  readonly data: {
    readonly available: boolean;
    readonly why: string | null;
    readonly rtpCapabilities: types.RtpCapabilities | null;
  };
}
interface ViewerAnswer {
  readonly data: { readonly viewerId: string; readonly transport: types.TransportOptions };
}
interface ConsumerAnswer {
  readonly data: {
    readonly id: string;
    readonly producerId: string;
    readonly kind: 'video';
    readonly rtpParameters: types.RtpParameters;
  };
}

const LOOK_EVERY_MS = 400;
const STALLED_AFTER_MS = 1500;
/** A camera's key frames may be so far apart, and a picture begins with one. */
const FIRST_PICTURE_MS = 12_000;
/** Asking again what is to be seen. */
const ASK_EVERY_MS = 1500;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const TRIES_BEFORE_MJPEG = 3;
const NO_WAY =
  'This browser cannot reach the media server by WebRTC. Open its ports (RTC_MIN_PORT to RTC_MAX_PORT, UDP and TCP), or set ANNOUNCED_IP.';

/** Ends its life with an error that says why it has to be begun anew. */
class Broken extends Error {}

export function play(
  video: HTMLVideoElement,
  cameraId: string,
  onState: (state: PlayerState) => void,
): Player {
  const stopping = new AbortController();
  const { signal } = stopping;
  void keepPlaying();
  return { close: () => stopping.abort() };

  async function keepPlaying(): Promise<void> {
    let failures = 0;
    onState({ kind: 'connecting' });
    while (!signal.aborted) {
      try {
        const { data } = await call<LiveAnswer>('/api/v1/live', { signal });
        if (data.rtpCapabilities === null) return showPictures(data.why ?? 'There is no media server.');
        if (typeof RTCPeerConnection === 'undefined') return showPictures('This browser has no WebRTC.');
        await watch(data.rtpCapabilities, () => {
          failures = 0;
          onState({ kind: 'webrtc' });
        });
      } catch (error) {
        if (signal.aborted) return;
        const isOurs = error instanceof ApiError || error instanceof Broken;
        if (!isOurs) failures++;
        if (error instanceof Broken && ++failures >= TRIES_BEFORE_MJPEG) return showPictures(NO_WAY);
        if (!isOurs && failures >= TRIES_BEFORE_MJPEG) return showPictures(words(error));
        const isForgotten = error instanceof ApiError && error.status === 404;
        onState({ kind: 'waiting', why: isForgotten ? 'The live view was interrupted.' : words(error) });
        await pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 5)));
      }
    }
  }

  function showPictures(why: string): void {
    onState({ kind: 'mjpeg', url: `/api/v1/cameras/${encodeURIComponent(cameraId)}/mjpeg`, why });
  }

  /** One viewer's life; rejects when it has to be begun anew. */
  async function watch(routerRtpCapabilities: types.RtpCapabilities, onPicture: () => void): Promise<void> {
    // As little as possible before the first picture of the page: only who watches loads it.
    const { makeDevice } = await import('./device.ts');
    const device = await makeDevice();
    await device.load({ routerRtpCapabilities });
    const opened = await call<ViewerAnswer>('/api/v1/live/viewers', {
      method: 'POST',
      json: { cameraId },
      signal,
    });
    const viewer = `/api/v1/live/viewers/${opened.data.viewerId}`;
    const transport = device.createRecvTransport(opened.data.transport);
    transport.on('connect', ({ dtlsParameters }, done, fail) => {
      call(`${viewer}/connect`, { method: 'POST', json: { dtlsParameters } }).then(() => done(), fail);
    });
    let consumer = null as types.Consumer | null;

    /** What is to be seen now: the same as before, or what replaced it. */
    async function consume(): Promise<void> {
      const { data } = await call<ConsumerAnswer>(`${viewer}/consume`, {
        method: 'POST',
        json: { rtpCapabilities: device.recvRtpCapabilities },
        signal,
      });
      if (consumer?.id === data.id) return;
      consumer?.close();
      consumer = await transport.consume(data);
      // The picture of now, not a smooth one of before.
      if (consumer.rtpReceiver && 'jitterBufferTarget' in consumer.rtpReceiver)
        consumer.rtpReceiver.jitterBufferTarget = 0;
      video.srcObject = new MediaStream([consumer.track]);
      void video.play().catch(() => {});
      await call(`${viewer}/resume`, { method: 'POST', signal });
    }

    try {
      await consumeWhenReady(consume);
      await untilBroken(transport, consume, onPicture);
    } finally {
      consumer?.close();
      transport.close();
      // Kept by the page's end: a viewer that nobody closes is dropped some seconds later.
      call(viewer, { method: 'DELETE' }).catch(() => {});
    }
  }

  /** The camera may be known and give nothing yet. */
  async function consumeWhenReady(consume: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await consume();
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 503) throw error;
        onState({ kind: 'waiting', why: error.message });
        await pause(ASK_EVERY_MS);
        signal.throwIfAborted();
      }
    }
  }

  async function untilBroken(
    transport: types.Transport,
    consume: () => Promise<void>,
    onPicture: () => void,
  ): Promise<void> {
    const startedMs = performance.now();
    let shown = framesOf(video);
    let newAtMs: number | null = null;
    let askedAtMs = startedMs;
    let isMoving = false;
    while (!signal.aborted) {
      await pause(LOOK_EVERY_MS);
      const nowMs = performance.now();
      const frames = framesOf(video);
      if (frames !== shown) {
        shown = frames;
        newAtMs = nowMs;
        if (!isMoving) onPicture();
        isMoving = true;
        continue;
      }
      if (transport.connectionState === 'failed')
        throw new Broken('The connection to the media server broke off.');
      if (
        newAtMs === null &&
        nowMs - startedMs > FIRST_PICTURE_MS &&
        transport.connectionState !== 'connected'
      )
        throw new Broken('The media server was not reached.');
      // A tab in the background draws nothing.
      if (document.visibilityState === 'hidden') continue;
      if (newAtMs !== null && nowMs - newAtMs < STALLED_AFTER_MS) continue;
      if (nowMs - askedAtMs < ASK_EVERY_MS) continue;
      askedAtMs = nowMs;
      if (isMoving) onState({ kind: 'waiting', why: 'No new picture comes from the camera.' });
      isMoving = false;
      await consumeWhenReady(consume);
    }
  }

  function pause(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, durationMs);
      function done() {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }
}

const framesOf = (video: HTMLVideoElement): number => video.getVideoPlaybackQuality().totalVideoFrames;
