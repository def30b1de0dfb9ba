/** Everything that is broadcast, in the words of the device API. Nothing else ever goes out. Times: milliseconds since the epoch. */
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
  readonly data: unknown;
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

/** Of an attendance session; what it says is the session's affair. */
export interface RecognitionMessage {
  readonly type: 'recognition';
  readonly timestamp: number;
  readonly [field: string]: unknown;
}

export type Message =
  | NewFrameMessage
  | SensorDataMessage
  | DeviceStatusMessage
  | CommandMessage
  | RecordingMessage
  | RecognitionMessage;

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
