/** Width and height of a JPEG, read from its header: its pixels are left to the threads. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Looks for the start-of-frame segment (ISO/IEC 10918-1, B.2.2).
 * @param head the first bytes of the file
 * @returns null where there is none in them
 */
export function jpegSize(head: Uint8Array): PictureSize | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return null;
  let position = 2;
  while (position + 9 <= view.byteLength) {
    if (view.getUint8(position) !== 0xff) return null;
    const marker = view.getUint8(position + 1);
    // Any number of fill bytes may stand before a marker.
    if (marker === 0xff) {
      position++;
      continue;
    }
    if (isStartOfFrame(marker)) {
      const [width, height] = [view.getUint16(position + 7), view.getUint16(position + 5)];
      return width > 0 && height > 0 ? { width, height } : null;
    }
    position += 2 + view.getUint16(position + 2);
  }
  return null;
}

/** SOF0 to SOF15 without the three markers among them that are something else (DHT, JPG, DAC). */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}
