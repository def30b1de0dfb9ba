/** Finds pictures that refer to later ones in H.264 over RTP (RFC 6184): browsers expect none in WebRTC, and show them out of order. */

const RTP_HEADER_BYTES = 12;
const NAL_SLICE = 1;
const NAL_STAP_A = 24;
const NAL_FU_A = 28;
const FU_START = 0x80;
/** slice_type of ITU-T H.264, table 7-6; five more says that all slices of the picture are alike. */
const SLICE_B = 1;
const SLICE_TYPES = 5;

/** Whether the packet begins a B slice; null where it begins none of a picture that builds on others. */
export function beginsBSlice(packet: Uint8Array): boolean | null {
  const payload = payloadOf(packet);
  if (payload === null || payload.length < 2) return null;
  const type = payload[0]! & 31;
  if (type === NAL_FU_A)
    return (payload[1]! & FU_START) !== 0 && (payload[1]! & 31) === NAL_SLICE
      ? isBSlice(payload.subarray(2))
      : null;
  // Several units, each behind its length.
  if (type === NAL_STAP_A) {
    for (let at = 1; at + 2 < payload.length; at += 2 + (payload[at]! << 8) + payload[at + 1]!)
      if ((payload[at + 2]! & 31) === NAL_SLICE) return isBSlice(payload.subarray(at + 3));
    return null;
  }
  return type === NAL_SLICE ? isBSlice(payload.subarray(1)) : null;
}

/** The header begins with first_mb_in_slice and slice_type, both Exp-Golomb. */
function isBSlice(header: Uint8Array): boolean | null {
  let bit = 0;
  const next = (): number => {
    const byte = header[bit >> 3];
    if (byte === undefined) throw new RangeError('the slice header is cut off');
    return (byte >> (7 - (bit++ & 7))) & 1;
  };
  const expGolomb = (): number => {
    let zeros = 0;
    while (next() === 0) zeros++;
    let value = 1;
    for (; zeros > 0; zeros--) value = 2 * value + next();
    return value - 1;
  };
  try {
    expGolomb();
    return expGolomb() % SLICE_TYPES === SLICE_B;
  } catch {
    return null;
  }
}

/** What follows the header, its contributing sources and its extension. */
function payloadOf(packet: Uint8Array): Uint8Array | null {
  if (packet.length < RTP_HEADER_BYTES) return null;
  let start = RTP_HEADER_BYTES + 4 * (packet[0]! & 15);
  if ((packet[0]! & 0x10) !== 0) {
    if (packet.length < start + 4) return null;
    start += 4 + 4 * ((packet[start + 2]! << 8) | packet[start + 3]!);
  }
  return packet.subarray(start);
}
