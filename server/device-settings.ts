/** The settings of boards, of those who watch them, and of the tunnel: a part of server/settings.ts. */
import Type from 'typebox';

const workedOut = (words: string) => ({ workedOut: words });
const secret = { secret: true };

const MIB = 1024 * 1024;

export const deviceSettings = {
  DEVICE_OFFLINE_S: Type.Integer({
    default: 60,
    minimum: 1,
    maximum: 86_400,
    description: 'Seconds of silence after which a board is offline',
  }),
  MAX_DEVICES: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 100_000,
    description:
      'Boards that can be known; unregistered ones that were silent longest make room for new ones',
  }),
  SENSOR_RETENTION_DAYS: Type.Integer({
    default: 30,
    minimum: 1,
    maximum: 3650,
    description: 'Days that measurements of boards are kept',
  }),
  SENSOR_MAX_ROWS: Type.Integer({
    default: 1_000_000,
    minimum: 1000,
    maximum: 1_000_000_000,
    description: 'Most measurements that are kept; the oldest go first',
  }),
  RECORDING_STORAGE_BYTES: Type.Integer({
    default: 4096 * MIB,
    minimum: MIB,
    description: 'Bytes of recordings beyond which no more are made; none is deleted by itself',
  }),
  WEBSOCKET_CLIENTS: Type.Integer({
    default: 1000,
    minimum: 1,
    maximum: 100_000,
    description: 'Most WebSocket clients at a time',
  }),
  WEBSOCKET_BUFFER_BYTES: Type.Integer({
    default: 256 * 1024,
    minimum: 16 * 1024,
    description:
      'Bytes that may wait for one WebSocket client; beyond it misses messages, and is dropped after 5 s',
  }),

  PUBLIC_VPS_IP: Type.Optional(
    Type.String({
      ...workedOut('no tunnel'),
      pattern: '^[A-Za-z0-9.:-]{1,253}$',
      expected: 'the name or address of a host',
      description: 'Public host that forwards its ports to this server over SSH',
    }),
  ),
  SSH_SERVER_PORT: Type.Integer({
    default: 22,
    minimum: 1,
    maximum: 65_535,
    description: 'Port of the SSH server there',
  }),
  SSH_USER: Type.Optional(
    Type.String({ ...workedOut('none'), minLength: 1, description: 'User to sign in as there' }),
  ),
  SSH_PASSWORD: Type.Optional(
    Type.String({ ...secret, ...workedOut('none'), minLength: 1, description: 'Password of that user' }),
  ),
  SSH_PRIVATE_KEY_PATH: Type.Optional(
    Type.String({ ...workedOut('none'), minLength: 1, description: 'Private key to sign in with' }),
  ),
  SSH_PASSPHRASE: Type.Optional(
    Type.String({ ...secret, ...workedOut('none'), minLength: 1, description: 'What opens that key' }),
  ),
  SSH_HOST_KEY_SHA256: Type.Optional(
    Type.String({
      ...workedOut('the first key seen, remembered'),
      pattern: '^(SHA256:)?[A-Za-z0-9+/]{43}=?$',
      expected: 'a fingerprint such as SHA256:<43 characters>',
      description: 'Fingerprint of the key that the host has to show (`ssh-keygen -lf`)',
    }),
  ),
  PUBLIC_PORT: Type.Array(Type.String({ pattern: '^\\d{1,5}$' }), {
    default: ['9009'],
    ...workedOut('`9009`'),
    expected: 'a port, or a list of ports such as 9005,9009',
    description: 'Ports of the public host that lead to this server',
  }),
  PRIVATE_SERVER_PORT: Type.Optional(
    Type.Integer({
      ...workedOut('`PORT`'),
      minimum: 1,
      maximum: 65_535,
      description: 'Port of this machine that the tunnel leads to',
    }),
  ),
};
