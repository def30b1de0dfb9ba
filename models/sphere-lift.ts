/**
 * The lift of dlib's 128 numbers onto the unit sphere in 512 dimensions.
 *
 * dlib's descriptors x are compared by Euclidean distance d, and their plain cosines are squeezed into a narrow band that no affine map
 * can bring to 0.85. So the descriptors' ball is laid on a sphere as one lays a map on a globe:
 * z = (x - mean) / radius, h = sqrt(1 - |z|^2), e = (z, h) B with orthonormal rows B. Then |e| = 1, and the cosine of two of them is
 * 1 - (d^2 + radius^2 (h1 - h2)^2) / (2 radius^2), which orders pairs as d does and, with radius = d0 / sqrt(0.3), is 0.85 at
 * the distance d0 where both are equally far from the mean. A descriptor outside of the ball is moved onto its edge.
 */

/**
 * The distance that becomes 0.85: under dlib's published 0.6, where a false match rate of 5e-4 can be stated (bench/results/). Changing this
 * or the mean makes embeddings that do not compare with stored ones: the model then needs another id.
 */
export const SPHERE_LIFT_DISTANCE = 0.545;

export const SPHERE_LIFT_RADIUS = SPHERE_LIFT_DISTANCE / Math.sqrt(0.3);

/** Mean descriptor of the 22 faces in the sample photos of @vladmandic/face-api; which mean it is hardly matters (models/README.md). */
// biome-ignore format: ten numbers a line
export const SPHERE_LIFT_MEAN = Float32Array.of(
  -0.07127, 0.07946, 0.07024, -0.08850, -0.10193, -0.02601, -0.07205, -0.10122, 0.19306, -0.10011,
  0.17263, -0.05673, -0.24802, 0.00621, -0.07828, 0.18730, -0.18000, -0.14296, -0.06820, -0.03639,
  0.04284, 0.03482, 0.03818, 0.09776, -0.12336, -0.33574, -0.06140, -0.07509, -0.03402, -0.09934,
  0.01267, 0.07979, -0.17836, 0.00612, 0.01620, 0.09228, -0.03515, -0.12010, 0.14353, 0.02831,
  -0.25381, -0.03982, 0.04499, 0.25900, 0.20400, 0.00763, 0.03511, -0.09024, 0.09925, -0.28200,
  0.00128, 0.16363, 0.03392, 0.04520, 0.05046, -0.15967, 0.03822, 0.11157, -0.16690, 0.02297,
  0.08490, -0.07160, -0.01211, -0.08408, 0.22824, 0.10883, -0.16271, -0.13863, 0.14120, -0.17447,
  -0.05013, 0.07944, -0.13044, -0.20169, -0.27956, -0.03290, 0.37841, 0.12170, -0.14229, 0.04658,
  -0.08101, 0.01855, 0.00848, 0.16338, -0.01922, 0.04034, -0.08933, 0.01939, 0.19804, -0.04293,
  0.00489, 0.26476, -0.02190, -0.02361, -0.01127, 0.06669, -0.12494, 0.02096, -0.11140, -0.00682,
  -0.00900, -0.01578, -0.00463, 0.09972, -0.18056, 0.15685, -0.02853, -0.00755, 0.00455, -0.02296,
  -0.06978, -0.06361, 0.15765, -0.24796, 0.13238, 0.17844, 0.07286, 0.13307, 0.05190, 0.08876,
  0.00015, -0.03786, -0.16361, -0.03510, 0.02182, -0.06486, -0.00219, 0.00964,
);

const DIMENSIONS = 512;

/**
 * The lift in plain TypeScript: what the graph of buildDlibResnet does in its last nodes.
 *
 * @param descriptor [128], as dlib gives it
 * @returns [512], unit length
 */
export function sphereLift(descriptor: Float32Array): Float32Array {
  const count = SPHERE_LIFT_MEAN.length;
  if (descriptor.length !== count) {
    throw new RangeError(`descriptor: expected ${count} numbers, received ${descriptor.length}`);
  }
  const onSphere = new Float64Array(count + 1);
  let squaredLength = 0;
  for (let index = 0; index < count; index++) {
    const z = (descriptor[index]! - SPHERE_LIFT_MEAN[index]!) / SPHERE_LIFT_RADIUS;
    onSphere[index] = z;
    squaredLength += z * z;
  }
  onSphere[count] = Math.sqrt(Math.max(0, 1 - squaredLength));
  const length = Math.sqrt(Math.max(1, squaredLength));
  const basis = hadamardBasis(count + 1);
  const embedding = new Float64Array(DIMENSIONS);
  for (const [row, value] of onSphere.entries()) {
    for (let column = 0; column < DIMENSIONS; column++) {
      embedding[column]! += (value / length) * basis[row * DIMENSIONS + column]!;
    }
  }
  return Float32Array.from(embedding);
}

/**
 * The first rows, without row 0, of Sylvester's Hadamard matrix of order 512 over sqrt(512): orthonormal, made without random numbers,
 * and spreading each number over all 512, so that no dimension of an embedding stays empty.
 *
 * @param rows at most 511
 * @returns [rows, 512], row-major
 */
export function hadamardBasis(rows: number): Float32Array {
  const basis = new Float32Array(rows * DIMENSIONS);
  const magnitude = 1 / Math.sqrt(DIMENSIONS);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < DIMENSIONS; column++) {
      basis[row * DIMENSIONS + column] = oddBits((row + 1) & column) ? -magnitude : magnitude;
    }
  }
  return basis;
}

/** Whether a number below 512 has an odd number of bits set. */
function oddBits(value: number): boolean {
  let folded = value ^ (value >> 8);
  folded ^= folded >> 4;
  folded ^= folded >> 2;
  folded ^= folded >> 1;
  return (folded & 1) === 1;
}
