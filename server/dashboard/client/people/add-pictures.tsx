/** More pictures of a person: from files, several at once, or by webcam. */
import { useState } from 'preact/hooks';
import { Icon } from '../parts/icon.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { whyNoCamera } from '../webcam/camera.ts';
import { WebcamEnrolment } from '../webcam/webcam-enrolment.tsx';
import { PictureDrop } from './picture-drop.tsx';
import { UploadList } from './upload-list.tsx';
import { useUploads } from './use-uploads.ts';

export interface AddPicturesProps {
  readonly name: string;
  readonly isNew: boolean;
  readonly onEnrolled: () => void;
}

export function AddPictures({ name, isNew, onEnrolled }: AddPicturesProps) {
  const [way, setWay] = useState<'upload' | 'webcam'>('upload');
  const uploads = useUploads(name, onEnrolled);
  const why = whyNoCamera();

  return (
    <section class="card add-pictures" aria-label="Add pictures">
      <div class="view-head">
        <h2>{isNew ? `Enrol ${name}` : 'Add pictures'}</h2>
        <fieldset class="ways">
          <legend class="hidden">Where the pictures come from</legend>
          {(['upload', 'webcam'] as const).map((one) => (
            <label key={one} class="way">
              <input type="radio" name="way" checked={way === one} onChange={() => setWay(one)} />
              <Icon name={one === 'upload' ? 'add' : 'camera'} />
              {one === 'upload' ? 'Upload' : 'Webcam'}
            </label>
          ))}
        </fieldset>
      </div>
      {way === 'webcam' && why !== null && (
        <>
          <Trouble what="The webcam is not offered here" why={why} />
          <p>On a phone, “Upload” can open its camera all the same: choose “Take a picture” there.</p>
        </>
      )}
      {way === 'webcam' && why === null && (
        <WebcamEnrolment name={name} onEnrolled={onEnrolled} onUpload={() => setWay('upload')} />
      )}
      {way === 'upload' && (
        <>
          <PictureDrop
            label="Choose pictures"
            multiple
            hint="One person in each, from the front, the face at least 60 px wide. JPEG, PNG, WebP or AVIF."
            onPictures={uploads.add}
          />
          <UploadList uploads={uploads} name={name} />
        </>
      )}
    </section>
  );
}
