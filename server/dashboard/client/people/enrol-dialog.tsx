/** Enrols a face that was seen somewhere: on the wall, in the history of a board, in a picture. */
import { useEffect, useState } from 'preact/hooks';
import { call, sentence, words } from '../api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Progress } from '../parts/progress.tsx';
import { linkTo } from '../router.ts';
import type { Box } from '../socket.ts';
import { type EnrolmentAnswer, enrolFace, type FaceSource, type Person, peoplePath } from './calls.ts';
import { FaceCrop } from './face-crop.tsx';
import { LONGEST_NAME } from './new-person.tsx';

export interface EnrolDialogProps {
  readonly source: FaceSource;
  /** Of the picture that the box is about, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly box: Box;
  /** What the server takes the face for, if for anybody. */
  readonly recognizedAs?: string | null;
  readonly onEnrolled?: (answer: EnrolmentAnswer) => void;
  readonly onClose: () => void;
}

export function EnrolDialog(props: EnrolDialogProps) {
  const { source, width, height, box, recognizedAs = null, onEnrolled, onClose } = props;
  const [name, setName] = useState(recognizedAs ?? '');
  const [names, setNames] = useState<readonly string[]>([]);
  const [sending, setSending] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [enrolled, setEnrolled] = useState<EnrolmentAnswer | null>(null);
  const known = names.includes(name.normalize('NFC').trim());

  useEffect(() => {
    // Only for suggesting names that are there: without them the dialog works all the same.
    call<{ data: readonly Person[] }>(peoplePath).then(
      ({ data }) => setNames(data.map((person) => person.name)),
      () => {},
    );
  }, []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setSending(true);
    setTrouble(null);
    try {
      const answer = await enrolFace(name, source, box);
      setEnrolled(answer);
      onEnrolled?.(answer);
    } catch (error) {
      setTrouble(words(error));
    } finally {
      setSending(false);
    }
  }

  const picture = <FaceCrop url={source.url} width={width} height={height} box={box} label="The face" />;
  if (enrolled !== null)
    return (
      <Dialog title={`${enrolled.subjectName} is enrolled`} onClose={onClose}>
        <div class="enrol">
          {picture}
          <div class="stack">
            <p>The face is known from now on. More pictures make it surer.</p>
            {enrolled.warnings.map((warning) => (
              <p key={warning} class="notice warn">
                {sentence(warning)}
              </p>
            ))}
          </div>
        </div>
        <div class="dialog-actions">
          <a class="button" href={linkTo('people', 'of', enrolled.subjectName)} onClick={onClose}>
            Show {enrolled.subjectName}
          </a>
          <button type="button" class="primary" onClick={onClose}>
            Close
          </button>
        </div>
      </Dialog>
    );
  return (
    <Dialog title="Enrol this face" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <div class="enrol">
          {picture}
          <div class="stack">
            <label>
              Name
              <input
                value={name}
                required
                maxLength={LONGEST_NAME}
                autocomplete="off"
                list="enrolled-names"
                aria-invalid={trouble !== null}
                onInput={(event) => setName(event.currentTarget.value)}
              />
            </label>
            <datalist id="enrolled-names">
              {names.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
            <p class="muted small" role="status">
              {known
                ? 'This person is enrolled already: the face is added to their pictures.'
                : 'Only enrol people who agreed to it.'}
            </p>
            <p class="trouble" role="alert">
              {trouble}
            </p>
            {sending && <Progress label="The server looks at the face" />}
          </div>
        </div>
        <div class="dialog-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={sending || name.trim() === ''}>
            {known ? 'Add to their pictures' : 'Enrol'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
