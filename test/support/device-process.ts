/**
 * Registers boards, takes measurements, frames and commands one after another while a recording is being made that never ends, until it
 * is killed; says what was acknowledged, a line each. Arguments: data folder, number of the first board, path of ffmpeg.
 */
import { openDeviceFolder } from './open-device-folder.ts';

const [folder, first, ffmpegPath] = process.argv.slice(2);
const { registry, sensorData, frames, recordings } = await openDeviceFolder(folder!, ffmpegPath!);
const say = (line: string) => process.stdout.write(`${line}\n`);
/** A JPEG of one grey pixel, as far as its header goes. */
const jpeg = Buffer.from('ffd8ffc0000b080001000101011100ffd9', 'hex');
say(`frame ${(await frames.store('cam', jpeg, null)).name}`);
recordings.record(null).catch(() => {});
for (let i = Number(first); ; i++) {
  const deviceId = `board ${i}`;
  await registry.register({ deviceId, name: 'x', type: 'camera', ipAddress: '::1', capabilities: [] });
  say(`registered ${i}`);
  await sensorData.add(deviceId, { deviceId, timestamp: i });
  say(`measured ${i}`);
  await registry.command(deviceId, 'ping', { i });
  say(`commanded ${i}`);
  say(`frame ${(await frames.store('cam', jpeg, null)).name}`);
}
