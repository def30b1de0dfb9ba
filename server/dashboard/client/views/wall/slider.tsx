/** Two pictures of one scene over each other, and a line between them that is dragged, or moved by the arrow keys. */
import { useState } from 'preact/hooks';

export interface SliderProps {
  readonly before: string;
  readonly after: string;
  readonly width: number;
  readonly height: number;
}

export function Slider({ before, after, width, height }: SliderProps) {
  const [percent, setPercent] = useState(50);
  return (
    <div class="compare-box" style={{ '--ratio': `${width / height}` }}>
      <div class="compare" style={{ '--split': `${percent}%` }}>
        <img src={after} alt="After: enhanced" width={width} height={height} />
        <img class="before" src={before} alt="Before: as the sensor sent it" width={width} height={height} />
        <span class="compare-label left">As sent</span>
        <span class="compare-label right">Enhanced</span>
        <span class="compare-line" />
        <input
          type="range"
          min={0}
          max={100}
          step={1}
          value={percent}
          aria-label="Where the frame as sent ends and the enhanced picture begins"
          aria-valuetext={`${percent} % as sent, ${100 - percent} % enhanced`}
          onInput={(event) => setPercent(event.currentTarget.valueAsNumber)}
        />
      </div>
    </div>
  );
}
