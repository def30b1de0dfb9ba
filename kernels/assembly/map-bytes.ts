/** `count` bytes (rounded up to a multiple of eight), each replaced by table[byte]: 256 look-ups are beyond a shuffle, so eight at a time in a register. */
export function mapBytes(bytes: usize, count: i32, table: usize): void {
  for (const end = bytes + <usize>count; bytes < end; bytes += 8) {
    const v = load<u64>(bytes);
    const low = <u64>load<u8>(table + <usize>(v & 255)) | <u64>load<u8>(table + <usize>(v >> 8 & 255)) << 8
      | <u64>load<u8>(table + <usize>(v >> 16 & 255)) << 16 | <u64>load<u8>(table + <usize>(v >> 24 & 255)) << 24;
    const high = <u64>load<u8>(table + <usize>(v >> 32 & 255)) << 32 | <u64>load<u8>(table + <usize>(v >> 40 & 255)) << 40
      | <u64>load<u8>(table + <usize>(v >> 48 & 255)) << 48 | <u64>load<u8>(table + <usize>(v >> 56)) << 56;
    store<u64>(bytes, low | high);
  }
}
