/** Browsers that watch cameras by WebRTC: let in up to a limit, and dropped when they go silent. */
import { randomUUID } from 'node:crypto';
import type { types } from 'mediasoup';
import { notFound, ServerError } from '../errors.ts';
import type { Preview } from './preview.ts';

export interface ViewersOptions {
  readonly limit: number;
  readonly onRefused?: () => void;
  readonly onDropped?: (reason: 'silent' | 'never connected') => void;
  /** Shorter in tests, as the next. */
  readonly connectLimitMs?: number;
  /** Whole seconds without a sign of the browser; mediasoup takes 10 to 60. */
  readonly silentAfterS?: number;
}

/** What a browser needs to make its end of the transport. */
export interface ViewerOffer {
  readonly viewerId: string;
  readonly id: string;
  readonly iceParameters: types.IceParameters;
  readonly iceCandidates: readonly types.IceCandidate[];
  readonly dtlsParameters: types.DtlsParameters;
}

export interface ConsumerOffer {
  readonly id: string;
  readonly producerId: string;
  readonly kind: 'video';
  readonly rtpParameters: types.RtpParameters;
}

/** Calls of a viewer that is not known, or no longer, are answered 404: it comes back as a new one. */
export interface Viewers {
  readonly size: number;
  /** @throws {ServerError} 503 TOO_MANY_VIEWERS, or where no worker comes up in time */
  open(preview: Preview): Promise<ViewerOffer>;
  connect(viewerId: string, dtlsParameters: types.DtlsParameters): Promise<void>;
  /** The consumer that the viewer has, or a new one where the camera's producer is another by now; paused until `resume`. */
  consume(viewerId: string, rtpCapabilities: types.RtpCapabilities): Promise<ConsumerOffer>;
  resume(viewerId: string): Promise<void>;
  close(viewerId: string): void;
  closeAll(): void;
}

interface Viewer {
  readonly id: string;
  readonly preview: Preview;
  readonly transport: types.WebRtcTransport;
  readonly timer: NodeJS.Timeout;
  consumer: types.Consumer | null;
}

const CONNECT_LIMIT_MS = 20_000;
/** A browser proves every few seconds that it still listens. */
const SILENT_AFTER_S = 15;

export function createViewers(options: ViewersOptions): Viewers {
  const { limit, connectLimitMs = CONNECT_LIMIT_MS, silentAfterS = SILENT_AFTER_S } = options;
  const viewers = new Map<string, Viewer>();
  let opening = 0;

  const viewerOf = (viewerId: string): Viewer => {
    const viewer = viewers.get(viewerId);
    if (!viewer) throw notFound('the viewer');
    return viewer;
  };
  function drop(id: string, reason: 'silent' | 'never connected'): void {
    if (!viewers.has(id)) return;
    options.onDropped?.(reason);
    viewers.get(id)!.transport.close();
  }

  return {
    get size() {
      return viewers.size;
    },
    async open(preview) {
      if (viewers.size + opening >= limit) {
        options.onRefused?.();
        throw new ServerError(503, 'TOO_MANY_VIEWERS', `${limit} viewers watch already`, { retryAfterS: 10 });
      }
      opening++;
      try {
        const { router, webRtcServer } = await preview.room();
        const transport = await router.createWebRtcTransport({
          webRtcServer,
          enableUdp: true,
          enableTcp: true,
          preferUdp: true,
          iceConsentTimeout: silentAfterS,
          initialAvailableOutgoingBitrate: 4_000_000,
        });
        const id = randomUUID();
        const leave = preview.enter();
        const timer = setTimeout(() => drop(id, 'never connected'), connectLimitMs);
        viewers.set(id, { id, preview, transport, timer, consumer: null });
        transport.observer.once('close', () => {
          viewers.delete(id);
          clearTimeout(timer);
          leave();
        });
        transport.on('dtlsstatechange', (state) => {
          if (state === 'connected') clearTimeout(timer);
          else if (state === 'closed' || state === 'failed') drop(id, 'silent');
        });
        transport.on('icestatechange', (state) => {
          if (state === 'disconnected' || state === 'closed') drop(id, 'silent');
        });
        const { iceParameters, iceCandidates, dtlsParameters } = transport;
        return { viewerId: id, id: transport.id, iceParameters, iceCandidates, dtlsParameters };
      } finally {
        opening--;
      }
    },
    async connect(viewerId, dtlsParameters) {
      const { transport } = viewerOf(viewerId);
      await transport.connect({ dtlsParameters }).catch(refused);
    },
    async consume(viewerId, rtpCapabilities) {
      const viewer = viewerOf(viewerId);
      const producer = await viewer.preview.producer();
      if (viewer.consumer === null || viewer.consumer.closed || viewer.consumer.producerId !== producer.id) {
        viewer.consumer?.close();
        viewer.consumer = null;
        viewer.consumer = await viewer.transport
          .consume({ producerId: producer.id, rtpCapabilities, paused: true })
          .catch(refused);
      }
      const { id, producerId, rtpParameters } = viewer.consumer;
      return { id, producerId, kind: 'video', rtpParameters };
    },
    async resume(viewerId) {
      await viewerOf(viewerId).consumer?.resume();
    },
    close: (viewerId) => viewerOf(viewerId).transport.close(),
    closeAll() {
      for (const { transport } of viewers.values()) transport.close();
    },
  };
}

/** What mediasoup says of parameters is about the client's own: it may be shown. */
function refused(error: Error): never {
  if (error instanceof TypeError || error.name === 'UnsupportedError')
    throw new ServerError(400, 'INVALID_FIELD', `the browser's parameters are refused: ${error.message}`);
  throw new ServerError(503, 'LIVE_UNAVAILABLE', 'the live view was interrupted', {
    retryAfterS: 1,
    cause: error,
  });
}
