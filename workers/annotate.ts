/** Boxes, points and names drawn into a picture, by @napi-rs/canvas (Skia). */
import { fileURLToPath } from 'node:url';
import { createCanvas, GlobalFonts, type SKRSContext2D } from '@napi-rs/canvas';
import { decodePicture } from './decode.ts';
import type { AnnotatedFace, PictureLimits } from './protocol.ts';

const KNOWN_COLOUR = '#22c55e';
const UNKNOWN_COLOUR = '#f59e0b';
const JPEG_QUALITY = 90;
const FONT_FAMILY = 'facepool label';

/**
 * @returns JPEG of the upright picture
 * @throws PictureError as decodePicture does
 */
export async function annotatePicture(
  bytes: Uint8Array,
  faces: readonly AnnotatedFace[],
  limits: PictureLimits,
): Promise<Uint8Array> {
  const { picture, width } = await decodePicture(bytes, limits);
  const factor = picture.width / width;
  const canvas = createCanvas(picture.width, picture.height);
  const context = canvas.getContext('2d');
  const image = context.createImageData(picture.width, picture.height);
  for (let from = 0, to = 0; from < picture.data.length; from += 3, to += 4) {
    image.data[to] = picture.data[from]!;
    image.data[to + 1] = picture.data[from + 1]!;
    image.data[to + 2] = picture.data[from + 2]!;
    image.data[to + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  registerFont();
  const lineWidth = Math.max(2, Math.round(Math.max(picture.width, picture.height) / 500));
  for (const face of faces) drawFace(context, face, factor, lineWidth, picture.width);
  return canvas.encode('jpeg', JPEG_QUALITY);
}

function drawFace(
  context: SKRSContext2D,
  face: AnnotatedFace,
  factor: number,
  lineWidth: number,
  pictureWidth: number,
): void {
  const colour = face.known ? KNOWN_COLOUR : UNKNOWN_COLOUR;
  const x = face.box.x * factor;
  const y = face.box.y * factor;
  const width = face.box.width * factor;
  const height = face.box.height * factor;
  context.strokeStyle = colour;
  context.lineWidth = lineWidth;
  context.strokeRect(x, y, width, height);
  context.fillStyle = colour;
  for (const [pointX, pointY] of face.landmarks) {
    context.beginPath();
    context.arc(pointX * factor, pointY * factor, lineWidth, 0, 2 * Math.PI);
    context.fill();
  }
  if (face.label === '') return;
  const fontPx = Math.max(12, lineWidth * 7);
  context.font = `${fontPx}px "${FONT_FAMILY}"`;
  context.textBaseline = 'top';
  const pad = Math.round(fontPx / 4);
  const labelWidth = context.measureText(face.label).width + 2 * pad;
  const labelHeight = fontPx + 2 * pad;
  // Above the box, or inside it at the picture's upper edge; never beyond the left and right edges.
  const labelX = Math.max(0, Math.min(x - lineWidth / 2, pictureWidth - labelWidth));
  const labelY = y >= labelHeight ? y - labelHeight : y;
  context.fillRect(labelX, labelY, labelWidth, labelHeight);
  context.fillStyle = '#000000';
  context.fillText(face.label, labelX + pad, labelY + pad);
}

/** A bare machine has no fonts: the labels bring their own. */
function registerFont(): void {
  if (GlobalFonts.has(FONT_FAMILY)) return;
  GlobalFonts.registerFromPath(
    fileURLToPath(import.meta.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf')),
    FONT_FAMILY,
  );
}
