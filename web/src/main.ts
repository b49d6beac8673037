import "./style.css";
import type { Film, Me, Wish } from "./api.ts";
import * as api from "./api.ts";
import { h, icon } from "./dom.ts";
import { Intake } from "./intake.ts";
import { languageMenu, t } from "./language.ts";
import { contour, Greys, heat } from "./layers.ts";
import { loginForm } from "./login.ts";
import { Result } from "./result.ts";
import { Viewer } from "./viewer.ts";
import { age, fault, title } from "./words.ts";
import { Worklist } from "./worklist.ts";

/** How often the worklist is asked for what others sent, in milliseconds. */
const ROUND = 10_000;
/** How long one question for a film that is being read may take, in milliseconds. */
const PATIENCE = 20_000;

const root = document.getElementById("app")!;

/** The whole page, once it is known who uses it. */
class Page {
  private film: Film | null = null;
  private readonly viewer = new Viewer();
  private readonly worklist = new Worklist((id) => void this.open(id), (error) => this.fault(error));
  private readonly result = new Result(
    () => this.me,
    (film) => this.changed(film),
    (error) => this.fault(error),
    { lay: () => this.viewer.lay(), automatic: () => void this.readAgain(null) },
  );
  private readonly intake = new Intake(
    () => this.me.role !== "viewer",
    (film) => {
      this.worklist.update(film);
      void this.open(film.id);
    },
    (error) => this.fault(error),
  );
  private readonly toast = h("p", { class: "toast", role: "alert" });
  private readonly keys = shortcuts();
  private toastTimer = 0;
  private ended = false;
  private readonly timer: number;

  constructor(
    private readonly me: Me,
    private readonly left: () => void,
  ) {
    this.viewer.element.append(this.intake.element);
    this.viewer.element.dataset["drop"] = t("intake.drop");
    root.replaceChildren(this.sidebar(), h("main", {}, this.viewer.element, this.result.element), this.toast, this.intake.dialog, this.keys);
    document.onkeydown = (event) => this.key(event);
    addEventListener("hashchange", this.follow);
    this.timer = window.setInterval(() => {
      if (!document.hidden) void this.worklist.refresh();
    }, ROUND);
    void this.worklist.refresh();
    this.follow();
  }

  private sidebar(): HTMLElement {
    const upload = h("button", { type: "button", class: "primary", title: "N", onclick: () => this.intake.pick() }, t("page.add"));
    upload.hidden = this.me.role === "viewer";
    const small = (label: string, path: string, act: () => void): HTMLElement =>
      h("button", { type: "button", class: "small", title: label, "aria-label": label, onclick: act }, icon(path));
    return h(
      "aside",
      {},
      h("header", {}, h("img", { src: "/icon.svg", alt: "", width: 26, height: 26 }), h("h1", {}, "boneage"),
        small(t("page.theme"), THEME, changeTheme),
        small(`${t("page.keys")} (?)`, HELP, () => this.keys.showModal())),
      upload,
      this.worklist.element,
      h("footer", { class: "quiet" },
        this.me.login ? this.person() : null,
        languageMenu(() => this.anew()),
        h("a", { href: "/api/v1/films.csv", download: "boneage.csv" }, t("page.export"))),
    );
  }

  private person(): HTMLElement {
    const name = `${this.me.name ?? ""}, ${t(`role.${this.me.role ?? "viewer"}`)}`;
    const button = h("button", { type: "button", class: "plain", onclick: () => void this.logout() }, t("page.logOut"));
    return h("div", { class: "person" }, h("span", {}, name), button);
  }

  /** The address names the film, so that going back and reloading lead to it. */
  private readonly follow = (): void => {
    const id = location.hash.replace(/^#\/films\//, "");
    if (id === "" || id === location.hash) this.show(null);
    else if (id !== this.film?.id) void this.open(id);
  };

  private async open(id: string): Promise<void> {
    history.replaceState(null, "", `#/films/${id}`);
    this.worklist.select(id);
    try {
      let film = await api.film(id);
      this.worklist.update(film);
      this.show(film);
      while ((film.state === "queued" || film.state === "leased") && this.film?.id === id) {
        film = await api.film(id, PATIENCE);
        if (this.film?.id !== id) return;
        this.worklist.update(film);
        this.show(film);
      }
    } catch (error) {
      if (error instanceof api.Refusal && error.status === 404) {
        history.replaceState(null, "", "#");
        this.show(null);
      }
      this.fault(error);
    }
  }

  private show(film: Film | null): void {
    const former = this.film;
    this.film = film;
    root.classList.toggle("empty", film === null);
    this.intake.element.hidden = film !== null;
    this.result.show(film);
    this.viewer.mayLay(film !== null && this.result.mayReadAgain() ? (wish) => void this.readAgain(wish) : null);
    if (film === null) {
      this.worklist.select(null);
      this.viewer.show(null, "", true);
    } else if (film.id !== former?.id || former.state !== film.state) {
      void this.draw(film, film.id !== former?.id);
    }
  }

  private async draw(film: Film, anew: boolean): Promise<void> {
    const reading = film.reading;
    // A film that is read again stays in sight.
    if (reading === null && !anew && film.state !== "failed") return;
    if (reading === null) {
      this.viewer.show(null, film.state === "failed" || film.state === "skipped" ? t("film.noPicture") : "", anew);
      return;
    }
    try {
      const [image, attention, hand] = await Promise.all([
        api.picture(film.id, "image"),
        reading.attention ? api.picture(film.id, "attention") : null,
        reading.hand ? api.picture(film.id, "hand") : null,
      ]);
      if (this.film?.id !== film.id) return;
      const label = t("film.alt", { film: title(film), age: reading.months === null ? t("reading.none") : age(reading.months) });
      const layers = {
        greys: new Greys(image),
        heat: attention === null ? null : heat(attention),
        contour: hand === null ? null : contour(hand),
      };
      this.viewer.show(layers, label, true);
    } catch (error) {
      this.fault(error);
    }
  }

  private changed(film: Film): void {
    this.worklist.update(film);
    this.film = film;
    this.result.show(film);
    this.viewer.mayLay(this.result.mayReadAgain() ? (wish) => void this.readAgain(wish) : null);
  }

  /** Has the film read as a person laid it down, or else the automatic way. */
  private async readAgain(wish: Wish | null): Promise<void> {
    if (this.film === null) return;
    try {
      const film = await api.readAgain(this.film.id, wish);
      this.worklist.update(film);
      await this.open(film.id);
    } catch (error) {
      this.fault(error);
    }
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const typing = target.matches("input:not([type=range]), textarea, select, dialog *");
    if (event.key === "Escape" && typing) target.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    // On what does something by itself, Enter does that.
    if (event.key === "Enter" && target.matches("button, a, summary")) return;
    if (this.viewer.isLaying) {
      if (this.viewer.key(event.key, event.shiftKey)) event.preventDefault();
      return;
    }
    const step = event.shiftKey ? undefined : STEPS[event.key];
    if (step !== undefined && !target.matches("input")) {
      const next = this.worklist.neighbour(step);
      if (next !== null) void this.open(next);
    } else if (event.key === "/") this.worklist.focusSearch();
    else if (event.key === "n") this.intake.pick();
    else if (event.key === "?") this.keys.showModal();
    else if (!this.viewer.key(event.key, event.shiftKey) && !this.result.key(event.key)) return;
    event.preventDefault();
  }

  private fault(error: unknown): void {
    if (error instanceof api.Refusal && error.status === 401) {
      this.end();
      return;
    }
    this.toast.textContent = fault(error);
    this.toast.classList.add("shown");
    clearTimeout(this.toastTimer);
    this.toastTimer = window.setTimeout(() => this.toast.classList.remove("shown"), 8000);
  }

  private async logout(): Promise<void> {
    await api.logout().catch(() => {});
    this.end();
  }

  /** The same page in another language. */
  private anew(): void {
    this.stop();
    new Page(this.me, this.left);
    root.querySelector<HTMLElement>("select.language")?.focus();
  }

  private end(): void {
    if (this.ended) return;
    this.stop();
    this.left();
  }

  private stop(): void {
    this.ended = true;
    this.film = null;
    clearInterval(this.timer);
    removeEventListener("hashchange", this.follow);
    document.onkeydown = null;
  }
}

const STEPS: Record<string, 1 | -1> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };

function shortcuts(): HTMLDialogElement {
  const keys: [string, string][] = [
    ["N", t("page.add")],
    ["↑ ↓", t("keys.neighbour")],
    ["/", t("keys.search")],
    ["Y", t("keys.accept")],
    ["O", t("keys.overrule")],
    ["A", t("viewer.attention")],
    ["H", t("viewer.contour")],
    ["I", t("viewer.invert")],
    ["+ −", t("keys.zoom")],
    ["⇧ ← ↑ ↓ →", t("viewer.move")],
    ["B D", t("keys.brightness")],
    ["W E", t("keys.contrast")],
    [", .", t("keys.strength")],
    ["F", t("viewer.whole")],
    ["R", t("viewer.reset")],
    ["C", t("lay.title")],
  ];
  const laying: [string, string][] = [
    ["L R", t("keys.quarter")],
    [", .", t("lay.fine")],
    ["M", t("lay.mirror")],
    ["← ↑ ↓ →", t("keys.box")],
    ["⇧ ← ↑ ↓ →", t("keys.size")],
    ["Enter", t("lay.read")],
    ["Esc", t("review.cancel")],
  ];
  const list = (rows: [string, string][]): HTMLElement =>
    h("dl", {}, ...rows.flatMap(([key, what]) => [h("dt", {}, ...key.split(" ").map((one) => h("kbd", {}, one))), h("dd", {}, what)]));
  return h(
    "dialog",
    { class: "keys", "aria-label": t("keys.title") },
    h("h2", {}, t("keys.title")),
    h("div", { class: "lists" },
      h("div", {}, list(keys)),
      h("div", {}, h("h3", {}, t("lay.title")), list(laying), h("p", { class: "quiet" }, t("keys.mouse")), h("p", { class: "quiet" }, t("keys.touch")))),
    h("form", { method: "dialog" }, h("button", {}, t("keys.close"))),
  );
}

/** Follows the system until somebody chooses. */
function changeTheme(): void {
  const dark = document.documentElement.dataset["theme"] ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  setTheme(dark === "dark" ? "light" : "dark");
}

function setTheme(theme: string): void {
  document.documentElement.dataset["theme"] = theme;
  localStorage.setItem("theme", theme);
}

const HELP = "M9 9a3 3 0 1 1 4 3c-.7.3-1 .8-1 1.700M12 17.500v.5";
const THEME = "M12 4a8 8 0 1 0 8 8a6 6 0 0 1-8-8";

async function start(): Promise<void> {
  const theme = localStorage.getItem("theme");
  if (theme !== null) setTheme(theme);
  const enter = (me: Me): void => {
    if (me.name === null) root.replaceChildren(loginForm(enter, () => enter(me)));
    else new Page(me, () => void start());
  };
  try {
    enter(await api.me());
  } catch (error) {
    root.replaceChildren(h("p", { class: "login note" }, fault(error)));
  }
}

void start();
