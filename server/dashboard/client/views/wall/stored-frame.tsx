/** One of the stored frames, whole, and the way to enrol a face of it. */
import { useState } from 'preact/hooks';
import { callForBytes, words } from '../../api.ts';
import { timeWords } from '../../clock.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Progress } from '../../parts/progress.tsx';
import { type Recognition, recognise } from '../../people/calls.ts';
import { EnrolFromPicture } from '../../people/enrol-from-picture.tsx';

export interface StoredFrame {
  readonly name: string;
  readonly url: string;
  readonly createdAt: string;
}

export function StoredFrameDialog({ frame, onClose }: { frame: StoredFrame; onClose: () => void }) {
  const [looking, setLooking] = useState(false);
  const [seen, setSeen] = useState<Recognition | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const { url, name, createdAt } = frame;

  /** Who was seen is not kept with a stored frame: it is looked at once more. */
  async function look(): Promise<void> {
    setLooking(true);
    setTrouble(null);
    try {
      const found = await recognise(await callForBytes(url, { headers: { Accept: 'image/jpeg' } }));
      if (found.faces.length > 0) setSeen(found);
      else setTrouble('No face was found in this picture. Try another one.');
    } catch (error) {
      setTrouble(words(error));
    } finally {
      setLooking(false);
    }
  }

  if (seen !== null) return <EnrolFromPicture picture={{ url, ...seen }} onClose={onClose} />;
  return (
    <Dialog title={timeWords(createdAt)} onClose={onClose} wide>
      <img class="whole" src={url} alt={`Frame of ${timeWords(createdAt)}`} />
      <p class="trouble" role="alert">
        {trouble}
      </p>
      {looking && <Progress label="Looking for faces" />}
      <div class="button-row">
        <button type="button" disabled={looking} onClick={() => void look()}>
          <Icon name="people" />
          Enrol a face of this picture
        </button>
        <a class="button" href={url} download={name}>
          Save the picture
        </a>
      </div>
    </Dialog>
  );
}
