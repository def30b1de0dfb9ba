/** A picture shows several people: the operator points at the one who is meant. */
import { useEffect, useState } from 'preact/hooks';
import { words } from '../api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { FaceBoxes } from '../parts/face-boxes.tsx';
import { Progress } from '../parts/progress.tsx';
import { type EnrolmentAnswer, enrolFace, type Recognition, recognise } from './calls.ts';

export interface ChooseFaceProps {
  readonly picture: Blob;
  readonly url: string;
  readonly name: string;
  readonly onEnrolled: (answer: EnrolmentAnswer) => void;
  readonly onClose: () => void;
}

export function ChooseFace({ picture, url, name, onEnrolled, onClose }: ChooseFaceProps) {
  const [seen, setSeen] = useState<Recognition | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [sending, setSending] = useState(false);

  useEffect(() => {
    recognise(picture).then(setSeen, (error: unknown) => setTrouble(words(error)));
  }, [picture]);

  async function choose(face: { readonly box: Recognition['faces'][number]['box'] }): Promise<void> {
    setSending(true);
    setTrouble(null);
    try {
      onEnrolled(await enrolFace(name, { picture, url }, face.box));
      onClose();
    } catch (error) {
      setTrouble(words(error));
      setSending(false);
    }
  }

  return (
    <Dialog title={`Which face is ${name}?`} onClose={onClose} wide>
      <p class="trouble" role="alert">
        {trouble}
      </p>
      {seen === null && trouble === null && <Progress label="Looking for faces" />}
      {sending && <Progress label="The server looks at the face" />}
      {seen !== null && (
        <>
          <p class="muted">Choose the face. Only it and a little around it are kept.</p>
          <div class="faces-picture">
            <img src={url} alt="" />
            <FaceBoxes
              faces={seen.faces}
              width={seen.width}
              height={seen.height}
              onChoose={sending ? undefined : (face) => void choose(face)}
            />
          </div>
        </>
      )}
    </Dialog>
  );
}
