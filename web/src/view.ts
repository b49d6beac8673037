/** A point of the canvas, in its own pixels. */
export interface Point {
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

/** Room around a film that is shown whole, in pixels of the page: the readout above, the tools below. */
const ROOM = { above: 36, below: 78, beside: 12 };
const MOST_ZOOM = 16;

/** Where a film lies on the canvas, and how large. */
export class View {
  /** Pixels of the canvas a pixel of the film. */
  zoom = 1;
  /** Where the film's upper left corner is. */
  corner: Point = { x: 0, y: 0 };
  /** Whether the film is shown whole, and is to stay so when the canvas changes. */
  fitted = true;

  constructor(private readonly canvas: Size) {}

  fit({ width, height }: Size): void {
    this.fitted = true;
    const [above, below, beside] = [ROOM.above, ROOM.below, ROOM.beside].map((room) => room * devicePixelRatio) as [number, number, number];
    const room = { width: this.canvas.width - 2 * beside, height: this.canvas.height - above - below };
    this.zoom = Math.max(0.01, Math.min(room.width / width, room.height / height));
    this.corner = {
      x: beside + (room.width - width * this.zoom) / 2,
      y: above + (room.height - height * this.zoom) / 2,
    };
  }

  /** Zooms about a point of the canvas, else its middle. */
  zoomBy(factor: number, { width, height }: Size, about?: Point): void {
    const { x, y } = about ?? { x: this.canvas.width / 2, y: this.canvas.height / 2 };
    const least = 0.5 * Math.min(this.canvas.width / width, this.canvas.height / height);
    const zoom = Math.min(MOST_ZOOM, Math.max(least, this.zoom * factor));
    const scale = zoom / this.zoom;
    this.corner = { x: x - (x - this.corner.x) * scale, y: y - (y - this.corner.y) * scale };
    this.zoom = zoom;
    this.fitted = false;
  }

  move(dx: number, dy: number): void {
    this.corner = { x: this.corner.x + dx, y: this.corner.y + dy };
    this.fitted = false;
  }

  /** A point of the canvas in shares of the film's width and height. */
  share({ x, y }: Point, { width, height }: Size): Point {
    return { x: (x - this.corner.x) / (width * this.zoom), y: (y - this.corner.y) / (height * this.zoom) };
  }

  /** The film's place in pixels of the page. */
  place({ width, height }: Size): { left: number; top: number; width: number; height: number } {
    const scale = this.zoom / devicePixelRatio;
    const [left, top] = [this.corner.x / devicePixelRatio, this.corner.y / devicePixelRatio];
    return { left, top, width: width * scale, height: height * scale };
  }
}
