/** Repeats the edges of a plane of 16-bit integers into eight elements of padding on every side; `plane` is its first inner one. */
export function padPlane(plane: usize, width: usize, height: usize, stride: usize): void {
  let row = plane;
  const last = (width - 1) << 1;
  for (let y: usize = 0; y < height; y++) {
    v128.store(row - 16, v128.load16_splat(row));
    v128.store(row + last + 2, v128.load16_splat(row + last));
    row += stride;
  }
  const bytes = (width + 16) << 1;
  const top = plane - 16;
  const bottom = top + (height - 1) * stride;
  for (let i: usize = 1; i <= 8; i++) {
    memory.copy(top - i * stride, top, bytes);
    memory.copy(bottom + i * stride, bottom, bytes);
  }
}
