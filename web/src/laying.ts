import type { Wish } from "./api.ts";
import { h, icon } from "./dom.ts";
import { number, t } from "./language.ts";

/** A part of the frame as shares of its width and height. */
interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

const WHOLE: Box = { left: 0, top: 0, width: 1, height: 1 };
/** The least part that the service reads. */
const LEAST = 0.05;
/** One press of an arrow key, as a share of the frame. */
const STEP = 0.01;

const QUARTER_LEFT = "M5 9a8 8 0 1 1-1 5M5 4v5h5";
const QUARTER_RIGHT = "M19 9a8 8 0 1 0 1 5M19 4v5h-5";
const MIRROR = "M12 3v18M9 7l-5 10h5zM15 7l5 10h-5z";

/** A film laid down by hand: turned, mirrored, and a box drawn around the hand. */
export class Laying {
  /** What lies over the film: the box. */
  readonly overlay: HTMLElement;
  /** The tools below it. */
  readonly toolbar: HTMLElement;
  private quarters = 0;
  private fine = 0;
  private mirrored = false;
  private box: Box = { ...WHOLE };
  private readonly frame: HTMLElement;
  private readonly boxElement: HTMLElement;
  private readonly told = h("output", { class: "degrees" });
  private readonly slider = h("input", {
    type: "range",
    min: -45,
    max: 45,
    step: 1,
    value: 0,
    "aria-label": t("lay.fine"),
    oninput: () => {
      this.fine = this.clockwise(this.slider.valueAsNumber);
      this.turned();
    },
  });
  private readonly mirrorButton: HTMLElement;
  private from: { x: number; y: number } | null = null;

  constructor(
    /** The film is to be drawn so. */
    private readonly drawn: (turn: number, mirrored: boolean) => void,
    private readonly done: (wish: Wish) => void,
    private readonly cancel: () => void,
  ) {
    this.boxElement = h("div", { class: "box", tabindex: 0, role: "group", "aria-label": t("lay.box"), onkeydown: (event: KeyboardEvent) => this.arrow(event) });
    this.grip(this.boxElement, 0, 0);
    for (const down of [-1, 0, 1]) {
      for (const across of [-1, 0, 1]) {
        if (across === 0 && down === 0) continue;
        const handle = h("span", { class: "handle", "data-at": `${across} ${down}` });
        this.grip(handle, across, down);
        this.boxElement.append(handle);
      }
    }
    this.frame = h("div", { class: "frame" }, this.boxElement);
    this.overlay = h("div", { class: "laying" }, this.frame, h("p", { class: "hint" }, t("lay.hint")));
    const button = (label: string, path: string, act: () => void): HTMLElement =>
      h("button", { type: "button", title: label, "aria-label": label, onclick: act }, icon(path));
    this.mirrorButton = button(`${t("lay.mirror")} (M)`, MIRROR, () => this.mirror());
    this.mirrorButton.setAttribute("aria-pressed", "false");
    this.toolbar = h(
      "div",
      { class: "toolbar", role: "toolbar", "aria-label": t("lay.title") },
      button(`${t("lay.left")} (L)`, QUARTER_LEFT, () => this.quarter(-1)),
      button(`${t("lay.right")} (R)`, QUARTER_RIGHT, () => this.quarter(1)),
      this.mirrorButton,
      this.slider,
      this.told,
      h("span", { class: "gap" }),
      h("button", { type: "button", class: "word", onclick: () => this.cancel() }, t("review.cancel")),
      h("button", { type: "button", class: "word primary", onclick: () => this.done(this.wish()) }, t("lay.read")),
    );
    this.turned();
  }

  /** Puts the frame where the viewer draws it, in pixels of the page. */
  place(place: Box): void {
    for (const side of ["left", "top", "width", "height"] as const) this.frame.style[side] = `${place[side]}px`;
  }

  focus(): void {
    this.boxElement.focus();
  }

  /** Whether a key was for the film that is laid down. */
  key(key: string): boolean {
    const acts: Record<string, () => void> = {
      l: () => this.quarter(-1),
      r: () => this.quarter(1),
      m: () => this.mirror(),
      ",": () => this.slide(-1),
      ".": () => this.slide(1),
      Enter: () => this.done(this.wish()),
      Escape: () => this.cancel(),
    };
    const act = acts[key];
    act?.();
    return act !== undefined;
  }

  /** A new box is drawn from here, in shares of the frame. */
  begin(at: { x: number; y: number }): void {
    this.from = at;
  }

  /** To here; `null`: it was meant otherwise. */
  draw(at: { x: number; y: number } | null): void {
    if (this.from === null) return;
    if (at === null) {
      this.from = null;
      return;
    }
    const [left, right] = [this.from.x, at.x].map(within).sort((a, b) => a - b) as [number, number];
    const [top, bottom] = [this.from.y, at.y].map(within).sort((a, b) => a - b) as [number, number];
    // A click draws nothing.
    if (right - left >= LEAST && bottom - top >= LEAST) this.show({ left, top, width: right - left, height: bottom - top });
  }

  private wish(): Wish {
    return { turn: this.turn(), mirrored: this.mirrored, crop: this.isWhole() ? null : this.box };
  }

  /** Degrees clockwise, from -180 to 180. */
  private turn(): number {
    const degrees = 90 * this.quarters + this.fine;
    return ((((degrees + 180) % 360) + 360) % 360) - 180;
  }

  /** The film is mirrored after its turn: what looks clockwise in a mirror is a turn the other way. */
  private clockwise(by: number): number {
    return this.mirrored ? -by : by;
  }

  private quarter(by: 1 | -1): void {
    this.quarters = (this.quarters + this.clockwise(by)) % 4;
    const { left, top, width, height } = this.box;
    // The box turns with what is in it.
    this.box = by === 1
      ? { left: 1 - top - height, top: left, width: height, height: width }
      : { left: top, top: 1 - left - width, width: height, height: width };
    this.turned();
  }

  private mirror(): void {
    this.mirrored = !this.mirrored;
    this.slider.value = String(this.clockwise(this.fine));
    this.mirrorButton.setAttribute("aria-pressed", String(this.mirrored));
    this.box.left = 1 - this.box.left - this.box.width;
    this.turned();
  }

  private slide(by: number): void {
    this.fine = Math.max(-45, Math.min(45, this.fine + this.clockwise(by)));
    this.slider.value = String(this.clockwise(this.fine));
    this.turned();
  }

  private turned(): void {
    this.told.textContent = number(this.turn(), { style: "unit", unit: "degree", unitDisplay: "narrow" });
    this.drawn(this.turn(), this.mirrored);
    this.show(this.box);
  }

  private show(box: Box): void {
    this.box = box;
    for (const side of ["left", "top", "width", "height"] as const) this.boxElement.style[side] = `${100 * box[side]}%`;
    // What is still all of the frame has nowhere to go: a new box is drawn within it.
    this.boxElement.classList.toggle("whole", this.isWhole());
  }

  private isWhole(): boolean {
    return this.box.width > 1 - STEP / 2 && this.box.height > 1 - STEP / 2;
  }

  /** Arrows move the box, with Shift its right and lower edge. */
  private arrow(event: KeyboardEvent): void {
    const way = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const [dx, dy] = way as [number, number];
    if (event.shiftKey) this.resize(this.box, 1, 1, dx, dy);
    else this.resize(this.box, 0, 0, dx, dy);
  }

  /** Moves the edges on the sides `across` and `down` of a box, or all of it with 0 and 0. */
  private resize(box: Box, across: number, down: number, dx: number, dy: number): void {
    const edges = (from: number, size: number, side: number, by: number): [number, number] => {
      if (across === 0 && down === 0) return [Math.max(0, Math.min(1 - size, from + by)), size];
      const until = from + size;
      if (side < 0) {
        const moved = Math.max(0, Math.min(until - LEAST, from + by));
        return [moved, until - moved];
      }
      return side > 0 ? [from, Math.max(LEAST, Math.min(1 - from, size + by))] : [from, size];
    };
    const [left, width] = edges(box.left, box.width, across, dx);
    const [top, height] = edges(box.top, box.height, down, dy);
    this.show({ left, top, width, height });
  }

  /** Lets a pointer drag a side of the box, or all of it. */
  private grip(element: HTMLElement, across: number, down: number): void {
    let start: { x: number; y: number; box: Box } | null = null;
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.stopPropagation();
      element.setPointerCapture(event.pointerId);
      start = { x: event.clientX, y: event.clientY, box: { ...this.box } };
    });
    element.addEventListener("pointermove", (event) => {
      if (start === null) return;
      event.stopPropagation();
      const { width, height } = this.frame.getBoundingClientRect();
      this.resize(start.box, across, down, (event.clientX - start.x) / width, (event.clientY - start.y) / height);
    });
    for (const end of ["pointerup", "pointercancel"] as const) element.addEventListener(end, () => (start = null));
  }
}

const within = (share: number): number => Math.max(0, Math.min(1, share));
