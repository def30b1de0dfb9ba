/** Everything that is broadcast, in the words of the device API. Nothing else ever goes out but what is for the page alone. Times: milliseconds since the epoch. */
import type { Recognition } from '../attendance/recognition.ts';

export interface NewFrameMessage {
  readonly type: 'new_frame';
  readonly deviceId: string;
  readonly timestamp: number;
  readonly filename: string;
  readonly url: string;
  readonly recognition: {
    readonly status: 'recognized' | 'unknown_face' | 'no_faces' | 'error';
    readonly recognizedAs: string | null;
    readonly confidence: number;
    readonly error: string | null;
  };
}

export interface SensorDataMessage {
  readonly type: 'sensor-data';
  /** As the board sent it. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly timestamp: number;
}

export interface DeviceStatusMessage {
  readonly type: 'device-status';
  readonly deviceId: string;
  readonly deviceName: string;
  readonly status: string;
  readonly lastSeen: number;
  readonly timestamp: number;
}

export interface CommandMessage {
  readonly type: 'command';
  readonly deviceId: string;
  readonly command: string;
  readonly params: unknown;
  readonly timestamp: number;
}

export interface RecordingMessage {
  readonly type: 'recording';
  readonly recordingId: string;
  /** Null for a recording of all devices. */
  readonly deviceId: string | null;
  readonly frameCount: number;
  readonly videoUrl: string;
  readonly timestamp: number;
}

/** A student whom a camera of an attendance session saw, in the words of the callback that tells the backend. */
export interface RecognitionMessage extends Recognition {
  readonly type: 'recognition';
  readonly slotId: number;
  readonly roomId: number;
  readonly timestamp: number;
}

/** Pixels count from the top left of the picture that it is about. */
export interface SeenFace {
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly recognizedAs: string | null;
  /** Plain cosine to the nearest person; null where nobody is enrolled. */
  readonly similarity: number | null;
}

/** For the page alone: somebody looked at a picture, and these faces are in it. */
export interface LookedAtMessage {
  readonly type: 'looked-at';
  readonly source: {
    readonly kind: 'device' | 'camera';
    readonly id: string;
    /** Where the faces were compared with the students of a slot, not with the permitted faces. */
    readonly slotId?: number;
  };
  readonly at: number;
  /** Where the picture can be had; null where it is not kept. */
  readonly url: string | null;
  readonly width: number;
  readonly height: number;
  readonly faces: readonly SeenFace[];
}

/** For the page alone. */
export interface CameraStatusMessage {
  readonly type: 'camera-status';
  readonly cameraId: string;
  readonly state: string;
  /** What is wrong, and what to do; null where nothing is. */
  readonly trouble: string | null;
  readonly timestamp: number;
}

export type Message =
  | LookedAtMessage
  | CameraStatusMessage
  | NewFrameMessage
  | SensorDataMessage
  | DeviceStatusMessage
  | CommandMessage
  | RecordingMessage
  | RecognitionMessage;

const PAGE_ONLY: ReadonlySet<Message['type']> = new Set(['looked-at', 'camera-status']);

/** Whether clients that know the contract, and nothing of the page, are told. */
export const isForEveryone = (message: Message): boolean => !PAGE_ONLY.has(message.type);

/** Who was seen in class. */
export const isOfClass = (message: Message): boolean =>
  message.type === 'recognition' || (message.type === 'looked-at' && message.source.slotId !== undefined);

/** Whether the page is told: of a frame it hears once, by `looked-at`. A wall of fifty boards has enough to read. */
export const isForPage = (message: Message): boolean => message.type !== 'new_frame';

/** @param faces of which only what the page draws goes out */
export function lookedAtMessage(
  source: LookedAtMessage['source'],
  url: string | null,
  picture: {
    readonly atMs: number;
    readonly width: number;
    readonly height: number;
    readonly faces: readonly SeenFace[];
  },
): LookedAtMessage {
  const { atMs, width, height } = picture;
  const faces = picture.faces.map(({ box, recognizedAs, similarity }) => ({ box, recognizedAs, similarity }));
  return { type: 'looked-at', source, at: atMs, url, width, height, faces };
}

/** @param device as the registry shows it */
export function deviceStatusMessage(device: {
  readonly deviceId: string;
  readonly name: string;
  readonly status: string;
  readonly lastSeenMs: number;
}): DeviceStatusMessage {
  return {
    type: 'device-status',
    deviceId: device.deviceId,
    deviceName: device.name,
    status: device.status,
    lastSeen: device.lastSeenMs,
    timestamp: Date.now(),
  };
}
