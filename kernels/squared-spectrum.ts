/** The 8x8 DCT in plain arithmetic, for the few blocks that a spectrum is learnt from. */

/** [frequency x 8 + position], orthonormal. */
const basis = Float32Array.from({ length: 64 }, (_, i) => {
  const [u, x] = [i >> 3, i & 7];
  return (u === 0 ? Math.sqrt(1 / 8) : 1 / 2) * Math.cos(((2 * x + 1) * u * Math.PI) / 16);
});

/** Squares of the orthonormal coefficients of a block [down x 8 + across], in the order [across x 8 + down]. */
export function squaredSpectrum(block: Float32Array): Float32Array {
  const half = new Float32Array(64);
  for (let y = 0; y < 8; y++) {
    for (let u = 0; u < 8; u++) {
      let sum = 0;
      for (let x = 0; x < 8; x++) sum += block[y * 8 + x]! * basis[u * 8 + x]!;
      half[u * 8 + y] = sum;
    }
  }
  const squares = new Float32Array(64);
  for (let u = 0; u < 8; u++) {
    for (let v = 0; v < 8; v++) {
      let sum = 0;
      for (let y = 0; y < 8; y++) sum += half[u * 8 + y]! * basis[v * 8 + y]!;
      squares[u * 8 + v] = sum * sum;
    }
  }
  return squares;
}
