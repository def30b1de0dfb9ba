/** Everybody whom the server knows, with a search. */
import { useState } from 'preact/hooks';
import { timeWords } from '../clock.ts';
import { Empty } from '../parts/empty.tsx';
import { Icon } from '../parts/icon.tsx';
import { Progress } from '../parts/progress.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { linkTo } from '../router.ts';
import { useAnswer } from '../use-answer.ts';
import { type Person, peoplePath, thumbnail } from './calls.ts';
import { NewPerson } from './new-person.tsx';
import { countWords, matches } from './words.ts';

/** More rows than this take longer to draw than anybody scrolls: the search finds the others. */
const MOST_SHOWN = 300;

export function PersonList() {
  const { answer, error, reload } = useAnswer<{ data: readonly Person[] }>(peoplePath);
  const [search, setSearch] = useState('');
  const [adding, setAdding] = useState(false);
  const people = answer?.data ?? [];
  const found = people.filter(({ name }) => matches(name, search));

  return (
    <>
      <header class="view-head">
        <h1>People</h1>
        {people.length > 0 && (
          <span class="muted">
            {countWords(people.length, 'person', 'people')} known by{' '}
            {countWords(
              people.reduce((sum, { pictures }) => sum + pictures, 0),
              'picture',
              'pictures',
            )}
          </span>
        )}
        <div class="actions">
          <a class="button" href={linkTo('people', 'who-is-this')}>
            <Icon name="face" />
            Who is this?
          </a>
          <button type="button" class="primary" onClick={() => setAdding(true)}>
            <Icon name="add" />
            Enrol a person
          </button>
        </div>
      </header>
      {adding && <NewPerson known={people} onClose={() => setAdding(false)} />}
      {error && <Trouble what="The people could not be listed" why={error.message} onRetry={reload} />}
      {answer === null && error === null && <Progress label="Loading the people" />}
      {answer !== null && people.length === 0 && (
        <Empty icon="people" title="Nobody is enrolled yet">
          <p>Enrol a person with a picture or by webcam: from then on boards and cameras say who they see.</p>
          <button type="button" class="primary" onClick={() => setAdding(true)}>
            Enrol the first person
          </button>
        </Empty>
      )}
      {people.length > 0 && (
        <search class="people-search">
          <label>
            <span class="hidden">Search by name</span>
            <input
              type="search"
              placeholder="Search by name"
              value={search}
              onInput={(event) => setSearch(event.currentTarget.value)}
            />
          </label>
          <p class="muted small" role="status">
            {search.trim() !== '' && `${countWords(found.length, 'person', 'people')} found`}
            {found.length > MOST_SHOWN && ` The first ${MOST_SHOWN} are shown.`}
          </p>
        </search>
      )}
      {people.length > 0 && found.length === 0 && (
        <p class="muted">Nobody of that name. Check the spelling, or enrol a person.</p>
      )}
      <ul class="people">
        {found.slice(0, MOST_SHOWN).map(({ name, pictures, lastPictureAt, picture }) => (
          <li key={name}>
            <a class="person card" href={linkTo('people', 'of', name)}>
              <img src={thumbnail(picture)} alt="" loading="lazy" width={64} height={64} />
              <span class="person-words">
                <span class="strong person-name">{name}</span>
                <span class="muted small">{countWords(pictures, 'picture', 'pictures')}</span>
                <span class="muted small">Newest {timeWords(lastPictureAt)}</span>
              </span>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
