/** Enrols somebody out of a picture that a board or a camera took: the picture stands still, the operator points at the face. */
import { useEffect, useState } from 'preact/hooks';
import type { SeenFace } from '../../../live/messages.ts';
import { callForBytes, words } from '../api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { FaceBoxes } from '../parts/face-boxes.tsx';
import { Progress } from '../parts/progress.tsx';
import type { FaceSource } from './calls.ts';
import { EnrolDialog } from './enrol-dialog.tsx';

export interface EnrolFromPictureProps {
  readonly picture: {
    readonly url: string;
    readonly width: number;
    readonly height: number;
    readonly faces: readonly SeenFace[];
  };
  readonly onClose: () => void;
}

/** Stored by the server under a name; what a camera shows is gone with its next picture. */
const STORED_FRAME = /^\/data\/([^/?#]+)$/;

export function EnrolFromPicture({ picture, onClose }: EnrolFromPictureProps) {
  const { url, width, height, faces } = picture;
  const frame = STORED_FRAME.exec(url)?.[1];
  const [source, setSource] = useState<FaceSource | null>(
    frame === undefined ? null : { frame: decodeURIComponent(frame), url },
  );
  const [chosen, setChosen] = useState<SeenFace | null>(faces.length === 1 ? faces[0]! : null);
  const [trouble, setTrouble] = useState<string | null>(null);

  useEffect(() => {
    if (frame !== undefined) return;
    let held: string | null = null;
    let current = true;
    callForBytes(url, { headers: { Accept: 'image/jpeg' } }).then(
      (bytes) => {
        if (!current) return;
        held = URL.createObjectURL(bytes);
        setSource({ picture: bytes, url: held });
      },
      (error: unknown) => current && setTrouble(words(error)),
    );
    return () => {
      current = false;
      if (held !== null) URL.revokeObjectURL(held);
    };
  }, [url, frame]);

  if (source !== null && chosen !== null)
    return (
      <EnrolDialog
        source={source}
        width={width}
        height={height}
        box={chosen.box}
        recognizedAs={chosen.recognizedAs}
        onClose={onClose}
      />
    );
  return (
    <Dialog title="Who is to be enrolled?" onClose={onClose} wide>
      {trouble !== null && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      {source === null && trouble === null && <Progress label="Holding the picture" />}
      {source !== null && (
        <>
          <p class="muted">Choose the face.</p>
          <div class="faces-picture">
            <img src={source.url} alt="" />
            <FaceBoxes faces={faces} width={width} height={height} onChoose={setChosen} />
          </div>
        </>
      )}
    </Dialog>
  );
}
