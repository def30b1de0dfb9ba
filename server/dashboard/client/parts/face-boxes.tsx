/** Boxes and names over a picture that fills its parent. */
import type { SeenFace } from '../../../live/messages.ts';
import { placeLabels } from './face-labels.ts';

export interface FaceBoxesProps {
  readonly faces: readonly SeenFace[];
  /** Of the picture that the boxes are about, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Makes each face a button. */
  readonly onChoose?: (face: SeenFace) => void;
}

export function FaceBoxes({ faces, width, height, onChoose }: FaceBoxesProps) {
  // Names go over boxes: drawn from top to bottom, no box is drawn through the name of a face below.
  const drawn = faces.toSorted((a, b) => a.box.y - b.box.y);
  const labels = placeLabels(drawn, width, height);
  return (
    <>
      {drawn.map((face, i) => {
        const { x, y } = face.box;
        // Percentages hold whatever size the picture is drawn at. Keys are numbers, so that boxes move with the faces, and keep the focus.
        const place = {
          left: `${(100 * x) / width}%`,
          top: `${(100 * y) / height}%`,
          width: `${(100 * face.box.width) / width}%`,
          height: `${(100 * face.box.height) / height}%`,
        };
        const known = face.recognizedAs !== null;
        const { below, fromRight, mostBoxWidths } = labels[i]!;
        const room = mostBoxWidths === null ? undefined : { maxWidth: `min(12rem, ${100 * mostBoxWidths}%)` };
        const name = (
          <span class="face-name" style={room}>
            {face.recognizedAs ?? 'Unknown'}
          </span>
        );
        const classes = `face-box ${known ? 'known' : ''} ${below ? 'below' : ''} ${fromRight ? 'from-right' : ''}`;
        return onChoose ? (
          <button
            key={i}
            type="button"
            class={classes}
            style={place}
            aria-label={`${face.recognizedAs ?? 'Unknown face'}: choose`}
            onClick={() => onChoose(face)}
          >
            {name}
          </button>
        ) : (
          <span key={i} class={classes} style={place}>
            {name}
          </span>
        );
      })}
    </>
  );
}

/** Who is in a picture, for those who cannot see the boxes. */
export function facesWords(faces: readonly SeenFace[]): string {
  if (faces.length === 0) return 'nobody in the picture';
  const names = faces.flatMap(({ recognizedAs }) => recognizedAs ?? []);
  const unknown = faces.length - names.length;
  const rest = unknown === 0 ? [] : [`${unknown} unknown ${unknown === 1 ? 'face' : 'faces'}`];
  return [...names, ...rest].join(', ');
}
