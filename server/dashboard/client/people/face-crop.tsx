/** One face of a picture, cut out for showing. */
import type { Box } from '../socket.ts';

/** Room around the face in shares of its longer side. */
const ROOM = 0.35;

export interface FaceCropProps {
  readonly url: string;
  /** Of the picture, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly box: Box;
  readonly label: string;
}

export function FaceCrop({ url, width, height, box, label }: FaceCropProps) {
  const side = Math.max(box.width, box.height) * (1 + 2 * ROOM);
  const left = box.x + box.width / 2 - side / 2;
  const top = box.y + box.height / 2 - side / 2;
  return (
    <svg class="face-crop" viewBox={`${left} ${top} ${side} ${side}`} role="img" aria-label={label}>
      <image href={url} width={width} height={height} />
    </svg>
  );
}
