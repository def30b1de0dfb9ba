/** Who is in the newest picture of a board or a camera, and the way to enrol one of them. */
import { useState } from 'preact/hooks';
import { Age } from '../parts/age.tsx';
import { facesWords } from '../parts/face-boxes.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Icon } from '../parts/icon.tsx';
import type { Picture } from '../sources.ts';
import { EnrolFromPicture } from './enrol-from-picture.tsx';

export function SeenFaces({ picture }: { picture: Picture }) {
  /** The picture as it was when somebody wanted to enrol a face of it: the next one comes soon. */
  const [held, setHeld] = useState<Picture | null>(null);
  return (
    <section>
      <h2>In the picture</h2>
      <p class="hidden" aria-live="polite">
        {facesWords(picture.faces)}
      </p>
      <Facts>
        <Fact name="Picture">
          {picture.width} × {picture.height}, <Age at={picture.at} />
        </Fact>
      </Facts>
      {picture.faces.length === 0 && <p class="muted">No face.</p>}
      <ul class="rows">
        {picture.faces.map(({ box, recognizedAs, similarity }) => (
          <li key={`${box.x} ${box.y}`}>
            <span class={recognizedAs === null ? 'muted' : 'strong'}>{recognizedAs ?? 'Unknown'}</span>
            <span class="muted small">
              {similarity === null ? 'nobody is enrolled' : `similarity ${similarity.toFixed(2)}`}
            </span>
          </li>
        ))}
      </ul>
      {picture.faces.length > 0 && (
        <button type="button" onClick={() => setHeld(picture)}>
          <Icon name="people" />
          Enrol a face of this picture
        </button>
      )}
      {held !== null && <EnrolFromPicture picture={held} onClose={() => setHeld(null)} />}
    </section>
  );
}
