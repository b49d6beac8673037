import type { Film } from "./api.ts";
import * as api from "./api.ts";
import { choice, h } from "./dom.ts";
import { t } from "./language.ts";
import { moment, sexWord, shortAge, shortMoment, standing, title } from "./words.ts";

type Which = "all" | "open" | "reviewed";

/** The films at the left, newest first, with what was found and whether somebody looked. */
export class Worklist {
  readonly element: HTMLElement;
  private readonly list = h("ul", { class: "films", "aria-label": t("worklist.films") });
  private readonly more = h("button", { type: "button", class: "plain", onclick: () => void this.load(this.pages + 1) }, t("worklist.more"));
  private readonly note = h("p", { class: "quiet", role: "status" });
  private readonly search: HTMLInputElement;
  private films: Film[] = [];
  private which: Which = "all";
  private pages = 1;
  private chosen: string | null = null;
  private typing = 0;
  private asked = 0;
  private loaded = false;

  constructor(
    private readonly choose: (id: string) => void,
    private readonly failed: (error: unknown) => void,
  ) {
    this.search = h("input", {
      type: "search",
      placeholder: t("worklist.search"),
      "aria-label": t("worklist.searchLabel"),
      oninput: () => {
        clearTimeout(this.typing);
        this.typing = window.setTimeout(() => void this.load(1), 200);
      },
    });
    const words: [Which, string][] = [["all", t("worklist.all")], ["open", t("worklist.open")], ["reviewed", t("worklist.reviewed")]];
    this.element = h(
      "nav",
      { class: "worklist", "aria-label": t("worklist.name") },
      this.search,
      choice(t("worklist.which"), words, "all", (which) => {
        this.which = which;
        void this.load(1);
      }),
      this.note,
      this.list,
      this.more,
    );
    this.more.hidden = true;
  }

  /** Asks anew for what is shown. */
  refresh(): Promise<void> {
    return this.load(this.pages);
  }

  focusSearch(): void {
    this.search.focus();
    this.search.select();
  }

  /** Puts a film's newest state into its line. */
  update(film: Film): void {
    const at = this.films.findIndex((other) => other.id === film.id);
    if (at >= 0) this.films[at] = film;
    else if (this.which !== "reviewed" && this.search.value === "") this.films.unshift(film);
    this.render();
  }

  select(id: string | null): void {
    this.chosen = id;
    this.render();
    this.list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  /** The film a step below or above the chosen one. */
  neighbour(step: 1 | -1): string | null {
    const at = this.films.findIndex((film) => film.id === this.chosen);
    return this.films[at < 0 ? 0 : at + step]?.id ?? null;
  }

  private async load(pages: number): Promise<void> {
    const asked = ++this.asked;
    try {
      const reviewed = this.which === "all" ? null : this.which === "reviewed";
      const wanted = Array.from({ length: pages }, (_, i) => api.films(this.search.value, reviewed, i + 1));
      const answers = await Promise.all(wanted);
      if (asked !== this.asked) return;
      this.pages = pages;
      this.loaded = true;
      this.films = answers.flatMap((answer) => answer.films);
      const total = answers[0]?.total ?? 0;
      this.more.hidden = this.films.length >= total;
      this.render();
    } catch (error) {
      this.failed(error);
    }
  }

  private render(): void {
    const empty = this.search.value === "" && this.which === "all" ? t("worklist.empty") : t("worklist.nothing");
    this.note.textContent = this.films.length === 0 && this.loaded ? empty : "";
    const focused = document.activeElement?.getAttribute("data-film") ?? null;
    this.list.replaceChildren(...this.films.map((film) => this.line(film)));
    if (focused !== null) this.list.querySelector<HTMLElement>(`[data-film="${CSS.escape(focused)}"]`)?.focus();
  }

  private line(film: Film): HTMLElement {
    const { word, tone } = standing(film);
    const months = film.months;
    return h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          "data-film": film.id,
          "aria-current": film.id === this.chosen ? "true" : null,
          onclick: () => this.choose(film.id),
        },
        h("span", { class: "line" },
          h("span", { class: "name" }, title(film)),
          h("span", { class: "age" }, months === null ? "–" : shortAge(months))),
        h("span", { class: "line" },
          h("span", { class: `standing ${tone}` }, word),
          h("span", { class: "quiet", title: moment(film.received_at) }, `${shortMoment(film.received_at)}${whose(film)}`)),
      ),
    );
  }
}

/** Whose film it is, where it is known or was read without. */
function whose(film: Film): string {
  const sex = film.reading?.sex ?? film.sex;
  return sex === null && film.reading === null ? "" : ` · ${sexWord(sex)}`;
}
