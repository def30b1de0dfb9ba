/** Asks for the name of somebody who is to be enrolled; the person's own page does the rest. */
import { useState } from 'preact/hooks';
import { Dialog } from '../parts/dialog.tsx';
import { goTo } from '../router.ts';
import type { Person } from './calls.ts';

export const LONGEST_NAME = 100;

export function NewPerson({ known, onClose }: { known: readonly Person[]; onClose: () => void }) {
  const [name, setName] = useState('');
  const trimmed = name.normalize('NFC').trim();
  const isKnown = known.some((person) => person.name === trimmed);

  return (
    <Dialog title="Enrol a person" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          onClose();
          goTo('people', 'of', trimmed);
        }}
      >
        <label>
          Name
          <input
            value={name}
            required
            maxLength={LONGEST_NAME}
            autocomplete="off"
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <p class="muted small" role="status">
          {isKnown
            ? 'This person is enrolled already: more pictures can be added.'
            : 'Pictures come next, from a file or by webcam.'}
        </p>
        <div class="dialog-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={trimmed === ''}>
            {isKnown ? 'Add pictures' : 'Continue'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
