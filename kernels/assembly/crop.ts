/** Copies `rows` rows of `bytes` bytes. */
export function copyRows(
  source: usize, sourceStrideBytes: usize, target: usize, targetStrideBytes: usize, bytes: usize, rows: usize,
): void {
  for (let y: usize = 0; y < rows; y++) {
    memory.copy(target, source, bytes);
    source += sourceStrideBytes;
    target += targetStrideBytes;
  }
}

/** Blackens a frame of one pixel around an inner RGB888 picture of `width` x `height`; `buffer` is the frame's own corner. */
export function blackenBorder(buffer: usize, strideBytes: usize, width: usize, height: usize): void {
  memory.fill(buffer, 0, strideBytes);
  let row = buffer + strideBytes;
  const right = (width + 1) * 3;
  for (let y: usize = 0; y < height; y++) {
    store<u16>(row, 0);
    store<u8>(row, 0, 2);
    memory.fill(row + right, 0, strideBytes - right);
    row += strideBytes;
  }
  memory.fill(row, 0, strideBytes);
}
