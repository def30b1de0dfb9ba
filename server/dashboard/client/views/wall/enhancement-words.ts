/** The enhancement's report in sentences: what was estimated, from where, and what was done. */

/** As the server tells it, see kernels/enhancement-report.ts. */
export interface EnhancementReport {
  readonly noise: {
    readonly source: 'headers' | 'frame';
    readonly gain: number;
    readonly sigma: number;
    readonly spectrum: 'white' | 'frame' | 'learnt';
  };
  readonly merged: { readonly stillShare: number; readonly meanFrames: number } | null;
  readonly gamma?: { readonly applied: boolean };
  readonly whiteBalance: {
    readonly source: 'headers' | 'frame' | 'none';
    readonly gains: readonly [number, number, number];
  };
  readonly exposureGain: number;
  readonly colourMatrixStrength: number;
  readonly black?: number;
  readonly lift: number;
  readonly legible?: boolean;
  readonly notBelieved: readonly string[];
}

const GRAIN = {
  white: 'treated as even grain',
  frame: 'with the pattern that this frame shows',
  learnt: 'with the pattern that this sensor showed over many frames',
} as const;

export function enhancementWords(report: EnhancementReport | null, format: string | null): string[] {
  if (report === null)
    return [
      format === 'JPEG'
        ? 'Nothing: the board sends JPEG, and what its encoder took away cannot be brought back. Raw frames (RGB565) come out better.'
        : 'Nothing: the picture is shown as the board sent it.',
    ];
  const { noise, merged, whiteBalance, exposureGain, colourMatrixStrength, black, lift, notBelieved } =
    report;
  const told: string[] = [
    `Noise: ${noise.sigma.toFixed(1)} of 255 levels at middle grey, as a sensor has at gain ${plain(noise.gain)}; ${
      noise.source === 'headers'
        ? 'taken from the gain that the board states'
        : 'estimated from the frame itself'
    }, ${GRAIN[noise.spectrum]}, and taken away.`,
  ];
  if (report.legible === false)
    told.push(
      'Very dark: faces can be found in this frame, but not told apart, so nobody is named. Still frames that follow help.',
    );
  if (notBelieved.includes('illuminantGains'))
    told.push('The light that the board states does not fit what the frame shows, and was not used.');
  if (notBelieved.includes('gain'))
    told.push('The gain that the board states does not fit what the frame shows, and was not used.');
  told.push(
    merged === null
      ? 'Merging over time: none; nothing is remembered of this board yet.'
      : merged.stillShare < 0.005
        ? 'Merging over time: none; everything in the picture moved.'
        : `Merging over time: ${share(merged.stillShare)} of the picture stood still and was averaged, ${plain(merged.meanFrames)} frames deep on average.`,
  );
  if (report.gamma?.applied)
    told.push('Gamma: the board states that its data are linear, so the curve was applied here.');
  if (notBelieved.includes('gamma'))
    told.push('The board states linear data, but the frame is too bright for that: no curve was applied.');
  told.push(balanceWords(whiteBalance));
  told.push(
    Math.abs(exposureGain - 1) < 0.02
      ? 'Brightness: left as it was.'
      : `Brightness: × ${exposureGain.toFixed(2)}, from how bright the frame is.`,
  );
  if (black !== undefined && black >= 0.05)
    told.push(
      `Black: ${black.toFixed(1)} of 255 levels taken off, part of the grey that noise makes of what is black.`,
    );
  if (lift >= 0.005) told.push(`Middle tones: lifted by ${share(lift)}.`);
  if (colourMatrixStrength >= 0.005)
    told.push(
      `Colours: what the colour filters of small sensors mix was unmixed, ${share(colourMatrixStrength)} of the way; less where there is more noise.`,
    );
  return told;
}

function balanceWords({ source, gains }: EnhancementReport['whiteBalance']): string {
  if (source === 'none') return 'White balance: left as it was.';
  const [red, green, blue] = gains.map((gain) => gain.toFixed(2));
  return `White balance: red × ${red}, green × ${green}, blue × ${blue}; ${
    source === 'headers' ? 'from the light that the board states' : 'from the colours of the frame itself'
  }.`;
}

const SENSOR_NAMES: Readonly<Record<string, string>> = {
  sensorModel: 'Model',
  byteOrder: 'Byte order',
  seq: 'Frame number',
  timestampMs: 'Time of capture (ms)',
  exposureLines: 'Exposure (lines)',
  exposureUs: 'Exposure (µs)',
  gain: 'Gain',
  agcGain: 'Gain index',
  awb: 'White balance by the sensor',
  awbGains: 'White balance gains (red, green, blue)',
  wbMode: 'White balance mode',
  gamma: 'Gamma curve',
  brightness: 'Brightness level',
  contrast: 'Contrast level',
  saturation: 'Saturation level',
  sharpness: 'Sharpness level',
  denoise: 'Denoising level',
  lensCorrection: 'Lens correction',
  bpc: 'Black pixel correction',
  wpc: 'White pixel correction',
};
const WB_MODES = ['automatic', 'sunny', 'cloudy', 'office', 'home'];

/** @param sensor what the server read from the headers of the frame */
export function sensorWords(sensor: Readonly<Record<string, unknown>>): string[] {
  const entries = Object.entries(sensor).filter(([name]) => name in SENSOR_NAMES);
  if (entries.length === 0)
    return ['Nothing: the board sends none of the optional headers. All was estimated from the frame.'];
  return entries.map(([name, value]) => `${SENSOR_NAMES[name]}: ${valueWords(name, value)}`);
}

function valueWords(name: string, value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (name === 'wbMode') return WB_MODES[Number(value)] ?? String(value);
  if (Array.isArray(value)) return value.map((part) => plain(Number(part))).join(', ');
  return typeof value === 'number' ? plain(value) : String(value);
}

const share = (value: number) => `${Math.round(value * 100)} %`;
/** At most two digits behind the point, and none that say nothing. */
const plain = (value: number) => String(Math.round(value * 100) / 100);
