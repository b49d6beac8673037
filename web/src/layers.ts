/** What lies upon each other in the viewer, each prepared once and drawn by the canvas as often as it likes. */

/** The greys of a film, and their picture through a window. */
export class Greys {
  readonly width: number;
  readonly height: number;
  readonly canvas = document.createElement("canvas");
  private readonly values: Uint8Array;
  private readonly pixels: ImageData;

  constructor(bitmap: ImageBitmap) {
    [this.width, this.height] = [bitmap.width, bitmap.height];
    const data = pixelsOf(bitmap).data;
    this.values = new Uint8Array(this.width * this.height);
    for (let i = 0; i < this.values.length; i++) {
      const at = 4 * i;
      this.values[i] = 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]! + 0.5;
    }
    [this.canvas.width, this.canvas.height] = [this.width, this.height];
    this.pixels = new ImageData(this.width, this.height);
    this.through({ centre: 127.5, width: 255, invert: false });
  }

  /** Draws the film through a window: `centre - width / 2` becomes black, `centre + width / 2` white. */
  through(view: Window): void {
    const table = new Uint32Array(256);
    for (let grey = 0; grey < 256; grey++) {
      const share = (grey - view.centre) / view.width + 0.5;
      const shown = Math.round(255 * Math.min(1, Math.max(0, view.invert ? 1 - share : share)));
      table[grey] = 0xff000000 | (shown << 16) | (shown << 8) | shown;
    }
    const words = new Uint32Array(this.pixels.data.buffer);
    for (let i = 0; i < words.length; i++) words[i] = table[this.values[i]!]!;
    this.canvas.getContext("2d")!.putImageData(this.pixels, 0, 0);
  }
}

/** Which greys are told apart. */
export interface Window {
  centre: number;
  width: number;
  invert: boolean;
}

/** The attention map in colours that cover the film the more, the stronger it is. */
export function heat(bitmap: ImageBitmap): HTMLCanvasElement {
  const pixels = pixelsOf(bitmap);
  const data = pixels.data;
  for (let at = 0; at < data.length; at += 4) {
    const value = data[at]! / 255;
    const [red, green, blue] = heatColour(value);
    data[at] = red;
    data[at + 1] = green;
    data[at + 2] = blue;
    data[at + 3] = 255 * STRONGEST_COVER * value;
  }
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  canvas.getContext("2d")!.putImageData(pixels, 0, 0);
  return canvas;
}

/** How much of the film the strongest attention covers, as in the program's own overlay. */
const STRONGEST_COVER = 0.6;

/** The colours of heat from 0 to 1 in equal steps: those of the program's own pictures, `heat` in crates/draw. */
const HEAT: [number, number, number][] = [
  [0, 0, 4],
  [31, 12, 72],
  [85, 15, 109],
  [136, 34, 106],
  [186, 54, 85],
  [227, 89, 51],
  [249, 140, 10],
  [249, 201, 50],
  [252, 255, 164],
];

export function heatColour(value: number): [number, number, number] {
  const place = Math.min(1, Math.max(0, value)) * (HEAT.length - 1);
  const below = Math.min(Math.floor(place), HEAT.length - 2);
  const [from, to, share] = [HEAT[below]!, HEAT[below + 1]!, place - below];
  const between = (i: 0 | 1 | 2): number => from[i] + share * (to[i] - from[i]);
  return [between(0), between(1), between(2)];
}

/** The line around a mask, in coordinates from 0 to 1 of its width and height. */
export function contour(bitmap: ImageBitmap): Path2D {
  const [width, height] = [bitmap.width, bitmap.height];
  const mask = new Float32Array(width * height);
  const data = pixelsOf(bitmap).data;
  for (let i = 0; i < mask.length; i++) mask[i] = data[4 * i]! / 255;
  // Three means of neighbours are near a Gaussian: the steps of pixels become a line.
  for (let round = 0; round < 3; round++) smooth(mask, width, height);
  const path = new Path2D();
  const at = (x: number, y: number): number => mask[y * width + x]! - 0.5;
  const point = (x: number, y: number): [number, number] => [(x + 0.5) / width, (y + 0.5) / height];
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      const corners = [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1)] as const;
      if (corners.every((corner) => corner > 0) || corners.every((corner) => corner <= 0)) continue;
      const [a, b, c, d] = corners;
      const crossings: [number, number][] = [];
      if (a > 0 !== b > 0) crossings.push(point(x + a / (a - b), y));
      if (b > 0 !== c > 0) crossings.push(point(x + 1, y + b / (b - c)));
      if (c > 0 !== d > 0) crossings.push(point(x + d / (d - c), y + 1));
      if (d > 0 !== a > 0) crossings.push(point(x, y + a / (a - d)));
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        path.moveTo(...crossings[i]!);
        path.lineTo(...crossings[i + 1]!);
      }
    }
  }
  return path;
}

/** Each value becomes the mean of itself and its neighbours along rows, then along columns. */
function smooth(values: Float32Array, width: number, height: number): void {
  const along = (start: number, step: number, count: number): void => {
    let before = values[start]!;
    for (let i = 0; i < count; i++) {
      const here = values[start + i * step]!;
      const after = i + 1 < count ? values[start + (i + 1) * step]! : here;
      values[start + i * step] = (before + here + after) / 3;
      before = here;
    }
  };
  for (let y = 0; y < height; y++) along(y * width, 1, width);
  for (let x = 0; x < width; x++) along(x, width, height);
}

function pixelsOf(bitmap: ImageBitmap): ImageData {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}
