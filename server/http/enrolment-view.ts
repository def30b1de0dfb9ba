/** How an enrolment is told to clients, whichever way the picture came. */
import type { Enrolment } from '../recognition/enrolment-outcome.ts';

/** Where a picture of a person is. */
export const pictureUrl = (name: string, pictureId: number): string =>
  `/api/v1/recognition/permitted-faces/${encodeURIComponent(name)}/pictures/${pictureId}`;

export function presentEnrolment(enrolment: Enrolment) {
  const { name, fileName, faceId, quality, alreadyEnrolled, warning } = enrolment;
  return {
    success: true,
    message: alreadyEnrolled ? `${name} has this picture already` : `${name} is enrolled`,
    subjectName: name,
    filename: fileName,
    faceId,
    quality,
    warnings: warning === null ? [] : [warning],
  };
}
