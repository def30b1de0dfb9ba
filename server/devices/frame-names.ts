/** Names of the files that frames are stored in: `<device>_<ms>.jpg`, of characters that are harmless in any folder. */

const MAX_NAME_CHARACTERS = 64;

/** What of a device's id may stand in a file name. Two ids may become one name: the millisecond then tells their frames apart. */
export function fileNamePart(deviceId: string): string {
  const safe = deviceId.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '_');
  return safe.slice(0, MAX_NAME_CHARACTERS) || 'unknown_device';
}

/** Whether a name is one that the device's frames get. */
export function namesOf(deviceId: string): (name: string) => boolean {
  const prefix = `${fileNamePart(deviceId)}_`;
  return (name) => name.startsWith(prefix) && /^\d+\.jpg$/.test(name.slice(prefix.length));
}
