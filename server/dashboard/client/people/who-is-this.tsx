/** A picture in; who is on it, how sure that is, and why. */
import { useEffect, useState } from 'preact/hooks';
import { words } from '../api.ts';
import { FaceBoxes } from '../parts/face-boxes.tsx';
import { Icon } from '../parts/icon.tsx';
import { Progress } from '../parts/progress.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { linkTo } from '../router.ts';
import { type RecognisedFace, type Recognition, recognise } from './calls.ts';
import { EnrolDialog } from './enrol-dialog.tsx';
import { FaceCrop } from './face-crop.tsx';
import { PictureDrop } from './picture-drop.tsx';
import { countWords, identityWords } from './words.ts';

interface Asked {
  readonly picture: File;
  readonly url: string;
}

export function WhoIsThis() {
  const [asked, setAsked] = useState<Asked | null>(null);
  const [seen, setSeen] = useState<Recognition | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [enrolling, setEnrolling] = useState<RecognisedFace | null>(null);
  const [again, setAgain] = useState(0);

  useEffect(() => {
    if (asked === null) return;
    let current = true;
    setTrouble(null);
    recognise(asked.picture).then(
      (answer) => current && setSeen(answer),
      (error: unknown) => current && setTrouble(words(error)),
    );
    return () => {
      current = false;
    };
  }, [asked, again]);
  useEffect(() => () => void (asked && URL.revokeObjectURL(asked.url)), [asked]);

  return (
    <>
      <header class="view-head">
        <a class="button quiet icon-only" href={linkTo('people')} aria-label="Back to the people">
          <Icon name="back" />
        </a>
        <h1>Who is this?</h1>
      </header>
      <div class="card who">
        <PictureDrop
          label={asked === null ? 'Choose a picture' : 'Another picture'}
          hint="The server looks at it, answers, and forgets it."
          onPictures={([picture]) => {
            setSeen(null);
            setAsked({ picture: picture!, url: URL.createObjectURL(picture!) });
          }}
        />
      </div>
      {trouble !== null && (
        <Trouble
          what="The picture could not be looked at"
          why={trouble}
          onRetry={() => setAgain((count) => count + 1)}
        />
      )}
      {asked !== null && seen === null && trouble === null && <Progress label="Looking at the picture" />}
      {asked !== null && seen !== null && (
        <div class="who-answer">
          <div class="faces-picture">
            <img src={asked.url} alt="Who was asked about" />
            <FaceBoxes faces={seen.faces} width={seen.width} height={seen.height} />
          </div>
          <section aria-label="Who it is">
            <div role="status">
              <h2>
                {seen.faces.length === 0
                  ? 'No face was found'
                  : `${countWords(seen.faces.length, 'face', 'faces')} found`}
              </h2>
            </div>
            {seen.faces.length === 0 && (
              <p class="muted">
                Try a picture in which the face is larger, lit from the front and not covered.
              </p>
            )}
            <ul class="identities">
              {seen.faces.map((face) => (
                <Identity
                  key={`${face.box.x} ${face.box.y}`}
                  face={face}
                  seen={seen}
                  url={asked.url}
                  onEnrol={() => setEnrolling(face)}
                />
              ))}
            </ul>
          </section>
        </div>
      )}
      {asked !== null && seen !== null && enrolling !== null && (
        <EnrolDialog
          source={asked}
          width={seen.width}
          height={seen.height}
          box={enrolling.box}
          recognizedAs={enrolling.recognizedAs}
          onEnrolled={() => setAgain((count) => count + 1)}
          onClose={() => setEnrolling(null)}
        />
      )}
    </>
  );
}

interface IdentityProps {
  readonly face: RecognisedFace;
  readonly seen: Recognition;
  readonly url: string;
  readonly onEnrol: () => void;
}

function Identity({ face, seen, url, onEnrol }: IdentityProps) {
  const { title, detail } = identityWords(face);
  return (
    <li>
      <FaceCrop url={url} width={seen.width} height={seen.height} box={face.box} label={`Face: ${title}`} />
      <div class="stack">
        <h3>
          {face.recognizedAs === null ? (
            title
          ) : (
            <a href={linkTo('people', 'of', face.recognizedAs)}>{title}</a>
          )}
        </h3>
        <p class="muted">{detail}</p>
        <button type="button" onClick={onEnrol}>
          {face.recognizedAs === null ? 'Enrol this face' : 'Add to their pictures'}
        </button>
      </div>
    </li>
  );
}
