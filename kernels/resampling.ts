/** The weights of separable resampling along one axis. */

export interface AxisTaps {
  /** Weights per target index. */
  readonly taps: number;
  /** First source index of each target index: [target]. */
  readonly starts: Uint32Array;
  /** [target, taps], each row adding up to 1; indices stay inside the source. */
  readonly weights: Float32Array;
}

/**
 * Maps the centre of target pixel u to (u + 0.5) x source / target - 0.5. Enlarging: two taps, linear, the edge repeated.
 * Shrinking: the share that each source pixel has of the stretch which the target pixel covers.
 */
export function axisTaps(source: number, target: number): AxisTaps {
  if (source === target) {
    return {
      taps: 1,
      starts: Uint32Array.from({ length: target }, (_, u) => u),
      weights: new Float32Array(target).fill(1),
    };
  }
  return target > source ? linearTaps(source, target) : areaTaps(source, target);
}

function linearTaps(source: number, target: number): AxisTaps {
  const taps = Math.min(2, source);
  const starts = new Uint32Array(target);
  const weights = new Float32Array(target * taps);
  for (let u = 0; u < target; u++) {
    const x = Math.min(Math.max(((u + 0.5) * source) / target - 0.5, 0), source - 1);
    const start = Math.min(Math.floor(x), source - taps);
    starts[u] = start;
    if (taps === 1) weights[u] = 1;
    else {
      weights[2 * u] = 1 - (x - start);
      weights[2 * u + 1] = x - start;
    }
  }
  return { taps, starts, weights };
}

function areaTaps(source: number, target: number): AxisTaps {
  const step = source / target;
  let taps = 1;
  for (let u = 0; u < target; u++) {
    taps = Math.max(taps, Math.ceil(((u + 1) * source) / target) - Math.floor((u * source) / target));
  }
  const starts = new Uint32Array(target);
  const weights = new Float32Array(target * taps);
  for (let u = 0; u < target; u++) {
    const from = (u * source) / target;
    const to = ((u + 1) * source) / target;
    const start = Math.min(Math.floor(from), source - taps);
    starts[u] = start;
    for (let k = 0; k < taps; k++) {
      weights[u * taps + k] = Math.max(0, Math.min(to, start + k + 1) - Math.max(from, start + k)) / step;
    }
  }
  return { taps, starts, weights };
}
