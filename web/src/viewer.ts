import type { Wish } from "./api.ts";
import { choice, h, icon } from "./dom.ts";
import { number, t } from "./language.ts";
import { Greys, type Window } from "./layers.ts";
import { Laying } from "./laying.ts";
import { type Point, type Size, View } from "./view.ts";

/** What is shown of a film. */
export interface Layers {
  greys: Greys;
  heat: HTMLCanvasElement | null;
  contour: Path2D | null;
}

const WHOLE: Window = { centre: 127.5, width: 255, invert: false };
/** A blue that is far from every heat colour. */
const CONTOUR = "rgb(108 214 255)";
/** What one press of a key changes: the window in greys of 255, the way of the film in pixels of the page. */
const STEP = { grey: 8, opacity: 10, way: 60 };

type Tool = "pan" | "window";

/** What is done with a film that was laid down by hand. */
type Laid = (wish: Wish) => void;

/** The canvas with a film: zoom, pan and window by mouse, wheel and fingers; attention and contour above it. */
export class Viewer {
  readonly element: HTMLElement;
  private readonly canvas = h("canvas", { tabindex: 0, role: "img", "aria-label": t("viewer.empty") });
  private readonly toolbar: HTMLElement;
  private readonly readout = h("output", { class: "readout" });
  private readonly note = h("p", { class: "nothing" });
  private layers: Layers | null = null;
  private window: Window = { ...WHOLE };
  private readonly view = new View(this.canvas);
  private tool: Tool = "pan";
  private opacity = 1;
  private attentionShown = true;
  private contourShown = true;
  private fingers = new Map<number, Point>();
  private drawing = 0;
  private greysStale = false;
  /** The film is being laid down by hand: how it is turned, and what is drawn on it. */
  private laying: { tools: Laying; turn: number; mirrored: boolean } | null = null;
  private laid: Laid | null = null;

  private readonly attentionButton = this.button(`${t("viewer.attention")} (A)`, ATTENTION, () => this.showAttention(!this.attentionShown));
  private readonly contourButton = this.button(`${t("viewer.contour")} (H)`, HAND, () => this.showContour(!this.contourShown));
  private readonly layButton = this.button(`${t("lay.title")} (C)`, CROP, () => this.lay());
  private readonly invertButton = this.button(`${t("viewer.invert")} (I)`, INVERT, () => this.invert());
  private readonly slider = h("input", {
    type: "range",
    min: 0,
    max: 100,
    value: 100,
    "aria-label": t("viewer.strength"),
    oninput: () => this.strengthen(),
  });

  constructor() {
    this.toolbar = h(
      "div",
      { class: "toolbar", role: "toolbar", "aria-label": t("viewer.name") },
      choice<Tool>(t("viewer.dragging"), [["pan", t("viewer.move")], ["window", t("viewer.window")]], "pan", (tool) => {
        this.tool = tool;
        this.canvas.dataset["tool"] = tool;
      }),
      h("span", { class: "gap" }),
      h("span", { class: "zoom" },
        this.button(`${t("viewer.smaller")} (−)`, "M5 12h14", () => this.zoomBy(1 / 1.25)),
        this.button(`${t("viewer.larger")} (+)`, "M5 12h14M12 5v14", () => this.zoomBy(1.25))),
      this.button(`${t("viewer.whole")} (F)`, "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5", () => this.fit()),
      h("span", { class: "gap" }),
      this.invertButton,
      this.contourButton,
      this.attentionButton,
      this.slider,
      h("span", { class: "gap" }),
      this.layButton,
      this.button(`${t("viewer.reset")} (R)`, "M5 8a8 8 0 1 1-1 6M5 3v5h5", () => this.reset()),
    );
    this.toolbar.hidden = true;
    this.element = h("div", { class: "viewer" }, this.canvas, this.note, this.readout, this.toolbar);
    this.listen();
    new ResizeObserver(() => this.resize()).observe(this.element);
  }

  /** Shows a film, or nothing but the label. Window and zoom start anew with another film. */
  show(layers: Layers | null, label: string, anew: boolean): void {
    this.endLaying();
    this.layers = layers;
    this.canvas.setAttribute("aria-label", label || t("viewer.empty"));
    this.note.textContent = layers === null ? label : "";
    this.toolbar.hidden = layers === null;
    if (anew) this.reset();
    this.greysStale = true;
    this.mark();
    this.draw();
  }

  /** Says what becomes of a film that is laid down by hand; null: it may not be. */
  mayLay(laid: Laid | null): void {
    this.laid = laid;
    if (laid === null) this.endLaying();
    this.mark();
  }

  get isLaying(): boolean {
    return this.laying !== null;
  }

  /** Begins to lay the film down by hand. */
  lay(): void {
    const laid = this.laid;
    if (laid === null || this.layers === null || this.laying !== null) return;
    const drawn = (turn: number, mirrored: boolean): void => {
      if (this.laying === null) return;
      [this.laying.turn, this.laying.mirrored] = [turn, mirrored];
      this.fit();
    };
    const tools = new Laying(drawn, (wish) => {
      this.endLaying();
      laid(wish);
    }, () => this.endLaying());
    this.laying = { tools, turn: 0, mirrored: false };
    this.element.append(tools.overlay, tools.toolbar);
    this.toolbar.hidden = true;
    this.canvas.dataset["tool"] = "box";
    this.fit();
    tools.focus();
  }

  private endLaying(): void {
    if (this.laying === null) return;
    this.laying.tools.overlay.remove();
    this.laying.tools.toolbar.remove();
    this.laying = null;
    this.canvas.dataset["tool"] = this.tool;
    this.toolbar.hidden = this.layers === null;
    this.fit();
    this.layButton.focus();
  }

  /** Width and height of what is shown: the film, or the frame that holds all of it when it is turned. */
  private size(): Size {
    const { width, height } = this.layers!.greys;
    if (this.laying === null) return { width, height };
    const turn = (this.laying.turn * Math.PI) / 180;
    const [sin, cos] = [Math.abs(Math.sin(turn)), Math.abs(Math.cos(turn))];
    return { width: Math.round(width * cos + height * sin), height: Math.round(width * sin + height * cos) };
  }

  /** Whether a key was for the viewer. */
  key(key: string, shift: boolean): boolean {
    if (this.laying?.tools.key(key)) return true;
    const way = shift ? WAYS[key] : undefined;
    if (way !== undefined && this.layers !== null) {
      const step = STEP.way * devicePixelRatio;
      this.move(way[0] * step, way[1] * step);
      return true;
    }
    const acts: Record<string, () => void> = {
      c: () => this.lay(),
      a: () => this.showAttention(!this.attentionShown),
      h: () => this.showContour(!this.contourShown),
      i: () => this.invert(),
      f: () => this.fit(),
      r: () => this.reset(),
      "+": () => this.zoomBy(1.25),
      "=": () => this.zoomBy(1.25),
      "-": () => this.zoomBy(1 / 1.25),
      b: () => this.changeWindow(0, -STEP.grey),
      d: () => this.changeWindow(0, STEP.grey),
      w: () => this.changeWindow(-STEP.grey, 0),
      e: () => this.changeWindow(STEP.grey, 0),
      ",": () => this.changeStrength(-STEP.opacity),
      ".": () => this.changeStrength(STEP.opacity),
    };
    const act = acts[key];
    if (act === undefined || this.layers === null) return false;
    act();
    return true;
  }

  private button(label: string, path: string, act: () => void): HTMLElement {
    return h("button", { type: "button", title: label, "aria-label": label, onclick: act }, icon(path));
  }

  private mark(): void {
    const state = (button: HTMLElement, pressed: boolean, there: boolean): void => {
      button.setAttribute("aria-pressed", String(pressed && there));
      button.toggleAttribute("disabled", !there);
    };
    const [heat, contour] = [this.layers?.heat != null, this.layers?.contour != null];
    state(this.attentionButton, this.attentionShown, heat);
    state(this.contourButton, this.contourShown, contour);
    state(this.invertButton, this.window.invert, true);
    this.layButton.toggleAttribute("disabled", this.laid === null);
    this.slider.disabled = !heat || !this.attentionShown;
  }

  private showAttention(shown: boolean): void {
    this.attentionShown = shown;
    this.mark();
    this.draw();
  }

  private showContour(shown: boolean): void {
    this.contourShown = shown;
    this.mark();
    this.draw();
  }

  private invert(): void {
    this.window.invert = !this.window.invert;
    this.greysStale = true;
    this.mark();
    this.draw();
  }

  private reset(): void {
    this.window = { ...WHOLE };
    this.greysStale = true;
    this.mark();
    this.fit();
  }

  private fit(): void {
    if (this.layers === null) this.view.fitted = true;
    else this.view.fit(this.size());
    this.draw();
  }

  /** Zooms about a point of the canvas, else its middle. */
  private zoomBy(factor: number, about?: Point): void {
    if (this.layers === null) return;
    this.view.zoomBy(factor, this.size(), about);
    this.draw();
  }

  private listen(): void {
    const place = (event: MouseEvent): Point => {
      const box = this.canvas.getBoundingClientRect();
      return {
        x: (event.clientX - box.left) * devicePixelRatio,
        y: (event.clientY - box.top) * devicePixelRatio,
      };
    };
    this.canvas.dataset["tool"] = this.tool;
    this.element.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.zoomBy(Math.exp(-event.deltaY / 400), place(event));
      },
      { passive: false },
    );
    this.canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    this.canvas.addEventListener("dblclick", () => this.fit());
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, place(event));
      if (this.laying === null) return;
      if (this.fingers.size === 1 && event.button === 0) this.laying.tools.begin(this.view.share(place(event), this.size()));
      else this.laying.tools.draw(null);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      const from = this.fingers.get(event.pointerId);
      if (from === undefined || this.layers === null) return;
      const to = place(event);
      const others = [...this.fingers].filter(([id]) => id !== event.pointerId);
      this.fingers.set(event.pointerId, to);
      const other = others[0]?.[1];
      if (other !== undefined) this.pinch(from, to, other);
      else if (this.laying !== null && event.buttons !== 2) this.laying.tools.draw(this.view.share(to, this.size()));
      else if ((this.tool === "window") !== (event.buttons === 2)) this.dragWindow(to.x - from.x, to.y - from.y);
      else this.move(to.x - from.x, to.y - from.y);
    });
    for (const end of ["pointerup", "pointercancel"] as const) {
      this.canvas.addEventListener(end, (event) => {
        this.fingers.delete(event.pointerId);
        this.laying?.tools.draw(null);
      });
    }
  }

  private move(dx: number, dy: number): void {
    this.view.move(dx, dy);
    this.draw();
  }

  /** One of two fingers moved. */
  private pinch(from: Point, to: Point, other: Point): void {
    const distance = (point: Point): number => Math.hypot(point.x - other.x, point.y - other.y);
    const middle = { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 };
    this.move((to.x - from.x) / 2, (to.y - from.y) / 2);
    this.zoomBy(distance(to) / Math.max(1, distance(from)), middle);
  }

  /** Sideways is contrast, up and down brightness, as on a workstation. */
  private dragWindow(dx: number, dy: number): void {
    const step = 0.4 / devicePixelRatio;
    this.changeWindow(dx * step, dy * step);
  }

  private changeStrength(by: number): void {
    if (this.slider.disabled) return;
    this.slider.value = String(this.slider.valueAsNumber + by);
    this.strengthen();
  }

  private strengthen(): void {
    this.opacity = this.slider.valueAsNumber / 100;
    this.draw();
  }

  /** In greys of 255. */
  private changeWindow(width: number, centre: number): void {
    this.window.width = Math.min(510, Math.max(4, this.window.width + width));
    this.window.centre = Math.min(255, Math.max(0, this.window.centre + centre));
    this.greysStale = true;
    this.draw();
  }

  private resize(): void {
    const box = this.element.getBoundingClientRect();
    this.canvas.width = Math.max(1, Math.round(box.width * devicePixelRatio));
    this.canvas.height = Math.max(1, Math.round(box.height * devicePixelRatio));
    if (this.view.fitted) this.fit();
    this.draw();
  }

  private draw(): void {
    if (this.drawing === 0) this.drawing = requestAnimationFrame(() => this.drawNow());
  }

  private drawNow(): void {
    this.drawing = 0;
    const context = this.canvas.getContext("2d")!;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.readout.textContent = "";
    if (this.layers === null) return;
    const { greys, heat, contour } = this.layers;
    const { corner, zoom } = this.view;
    if (this.greysStale) greys.through(this.window);
    this.greysStale = false;
    context.translate(corner.x, corner.y);
    if (this.laying !== null) {
      this.drawLaid(context, greys, this.laying);
      return;
    }
    context.scale(zoom * greys.width, zoom * greys.height);
    context.imageSmoothingEnabled = zoom < 4 * devicePixelRatio;
    context.imageSmoothingQuality = "high";
    context.drawImage(greys.canvas, 0, 0, 1, 1);
    if (heat !== null && this.attentionShown) {
      context.imageSmoothingEnabled = true;
      context.globalAlpha = this.opacity;
      context.drawImage(heat, 0, 0, 1, 1);
      context.globalAlpha = 1;
    }
    if (contour !== null && this.contourShown) {
      // The line keeps its width on the screen: the path is scaled, the pen is not.
      const scaled = new Path2D();
      scaled.addPath(contour, new DOMMatrix([zoom * greys.width, 0, 0, zoom * greys.height, corner.x, corner.y]));
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.lineWidth = 1.5 * devicePixelRatio;
      context.lineCap = "round";
      context.strokeStyle = CONTOUR;
      context.stroke(scaled);
    }
    this.readout.textContent = t("viewer.readout", {
      width: greys.width,
      height: greys.height,
      zoom: number(zoom / devicePixelRatio, { style: "percent" }),
      window: Math.round(this.window.width),
      level: Math.round(this.window.centre),
    });
  }

  /** The film alone, turned about the middle of its frame and then mirrored. */
  private drawLaid(context: CanvasRenderingContext2D, greys: Greys, laying: NonNullable<Viewer["laying"]>): void {
    const { width, height } = this.size();
    context.scale(this.view.zoom, this.view.zoom);
    context.translate(width / 2, height / 2);
    if (laying.mirrored) context.scale(-1, 1);
    context.rotate((laying.turn * Math.PI) / 180);
    context.imageSmoothingQuality = "high";
    context.drawImage(greys.canvas, -greys.width / 2, -greys.height / 2);
    laying.tools.place(this.view.place({ width, height }));
  }
}

/** Where Shift and an arrow key move the film. */
const WAYS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const ATTENTION = "M12 3v2M12 19v2M3 12h2M19 12h2M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8";
const HAND =
  "M7 13V6.500a1.300 1.300 0 0 1 2.600 0V11V4.800a1.300 1.300 0 0 1 2.600 0V11V5.600a1.300 1.300 0 0 1 2.600 0V12V8a1.300 1.300 0 0 1 2.600 0v7a6 6 0 0 1-6 6h-.8a5 5 0 0 1-4-2l-3-4.400a1.300 1.300 0 0 1 2-1.600L7 14.500";
const CROP = "M6 2v16h16M2 6h16v16";
const INVERT = "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16";
