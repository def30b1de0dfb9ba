/** One person: the pictures that the server knows them by, more of them, fewer of them, and the end. */
import { useCallback, useState } from 'preact/hooks';
import { words } from '../api.ts';
import { timeWords } from '../clock.ts';
import { usePage } from '../page-context.ts';
import { Confirm } from '../parts/dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import { Progress } from '../parts/progress.tsx';
import { Badge } from '../parts/state-badge.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { goTo, linkTo } from '../router.ts';
import { useAnswer } from '../use-answer.ts';
import { AddPictures } from './add-pictures.tsx';
import {
  type PersonPicture,
  picturesPath,
  type Removal,
  removePerson,
  removePicture,
  thumbnail,
} from './calls.ts';
import { countWords, qualityWords } from './words.ts';

export function PersonPage({ name }: { name: string }) {
  const { say } = usePage();
  const { answer, error, reload } = useAnswer<{ data: readonly PersonPicture[] }>(picturesPath(name));
  const [removing, setRemoving] = useState<PersonPicture | 'person' | null>(null);
  // Nobody of that name yet: this is where the first picture is added.
  const isNew = error?.status === 404;
  const pictures = isNew ? [] : (answer?.data ?? []);
  const onEnrolled = useCallback(() => reload(), [reload]);

  async function remove(what: PersonPicture | 'person'): Promise<void> {
    try {
      const removal = await (what === 'person' ? removePerson(name) : removePicture(what.url));
      say(removalWords(name, what, removal));
      if (what === 'person' || removal.personRemoved) goTo('people');
      else reload();
    } catch (thrown) {
      say(words(thrown), 'bad');
      reload();
    }
  }

  return (
    <>
      <header class="view-head">
        <a class="button quiet icon-only" href={linkTo('people')} aria-label="Back to the people">
          <Icon name="back" />
        </a>
        <h1 class="person-name">{name}</h1>
        <span class="muted" role="status">
          {isNew && 'Not enrolled yet'}
          {pictures.length > 0 &&
            `${countWords(pictures.length, 'picture', 'pictures')}, since ${timeWords(pictures[0]!.createdAt)}`}
        </span>
        {pictures.length > 0 && (
          <div class="actions">
            <button type="button" class="danger" onClick={() => setRemoving('person')}>
              <Icon name="bin" />
              Delete this person
            </button>
          </div>
        )}
      </header>
      {error && !isNew && (
        <Trouble what="The pictures could not be listed" why={error.message} onRetry={reload} />
      )}
      {answer === null && error === null && <Progress label="Loading the pictures" />}
      <AddPictures name={name} isNew={isNew} onEnrolled={onEnrolled} />
      <ul class="pictures">
        {pictures.map((picture, i) => {
          const { text, mood } = qualityWords(picture.quality);
          return (
            <li key={picture.pictureId} class="card">
              <a href={picture.url} target="_blank" rel="noreferrer">
                <img
                  src={thumbnail(picture.url)}
                  alt={`${name}, ${i + 1}: open in full`}
                  loading="lazy"
                  width={160}
                  height={160}
                />
              </a>
              <div class="picture-words">
                <Badge mood={mood}>{text}</Badge>
                <span class="muted small">{timeWords(picture.createdAt)}</span>
              </div>
              <button
                type="button"
                class="quiet icon-only"
                aria-label={`Delete picture ${i + 1}`}
                onClick={() => setRemoving(picture)}
              >
                <Icon name="bin" />
              </button>
            </li>
          );
        })}
      </ul>
      {removing !== null && (
        <Confirm
          title={removing === 'person' ? `Delete ${name}?` : 'Delete this picture?'}
          action={removing === 'person' || pictures.length === 1 ? `Delete ${name}` : 'Delete the picture'}
          onConfirm={() => void remove(removing)}
          onClose={() => setRemoving(null)}
        >
          <p>{warningWords(name, removing, pictures.length)}</p>
        </Confirm>
      )}
    </>
  );
}

function warningWords(name: string, what: PersonPicture | 'person', count: number): string {
  if (what === 'person')
    return `${countWords(count, 'picture', 'pictures')} and everything that was computed from them are erased, here and in the database. ${name} will be a stranger to boards and cameras at once. This cannot be undone.`;
  if (count === 1)
    return `It is the last picture of ${name}: the person is deleted with it, and will be a stranger to boards and cameras at once. This cannot be undone.`;
  return 'The picture and what was computed from it are erased. This cannot be undone.';
}

function removalWords(name: string, what: PersonPicture | 'person', removal: Removal): string {
  const gone =
    what === 'person' || removal.personRemoved ? `${name} was deleted.` : 'The picture was deleted.';
  const left = removal.filesLeft;
  return left.length === 0
    ? gone
    : `${gone} In the folder of permitted faces ${left.join(', ')} is still there: delete it yourself if it must go.`;
}
