/** RTP of one camera on its way into a media worker: a port of this machine, and the producer behind it. */
import { randomInt } from 'node:crypto';
import type { types } from 'mediasoup';
import { H264, type MediaRoom } from './media-worker.ts';

/** Where ffmpeg sends to. */
export interface IngestTarget {
  readonly port: number;
  readonly rtcpPort: number;
  readonly ssrc: number;
  readonly payloadType: number;
}

export interface Ingest {
  readonly target: IngestTarget;
  readonly producer: types.Producer;
  close(): void;
}

const PAYLOAD_TYPE = 96;
/** ffmpeg reads it as a signed number. */
const MAX_SSRC = 2 ** 31 - 1;
const LOOPBACK = { protocol: 'udp', ip: '127.0.0.1' } as const;
/** A key frame comes in one burst; the system gives what its limit allows. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * The transport learns the sender from its first packet, so that ffmpeg needs to know nothing but the ports. RTCP has one of its own:
 * where it shared the port, it would be taken for that first packet.
 * @param target of an earlier one, where its sender still sends there
 */
export async function openIngest({ router }: MediaRoom, target?: IngestTarget): Promise<Ingest> {
  const transport = await router.createPlainTransport({
    listenInfo: { ...LOOPBACK, port: target?.port, recvBufferSize: RECEIVE_BUFFER_BYTES },
    rtcpListenInfo: { ...LOOPBACK, port: target?.rtcpPort },
    rtcpMux: false,
    comedia: true,
  });
  const ssrc = target?.ssrc ?? randomInt(1, MAX_SSRC);
  try {
    const producer = await transport.produce({
      kind: 'video',
      rtpParameters: {
        codecs: [
          {
            mimeType: H264.mimeType,
            payloadType: PAYLOAD_TYPE,
            clockRate: H264.clockRate,
            parameters: H264.parameters,
          },
        ],
        encodings: [{ ssrc }],
      },
    });
    return {
      target: {
        port: transport.tuple.localPort,
        rtcpPort: transport.rtcpTuple!.localPort,
        ssrc,
        payloadType: PAYLOAD_TYPE,
      },
      producer,
      close: () => transport.close(),
    };
  } catch (error) {
    transport.close();
    throw error;
  }
}
