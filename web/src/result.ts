import type { Film, Me, Reading } from "./api.ts";
import * as api from "./api.ts";
import { h, svg } from "./dom.ts";
import { age, capital, moment, sexWord, shortAge, standing, title, yearsAndMonths } from "./words.ts";

/** Ages of the scale under the reading, in months. */
const SCALE = [0, 228] as const;

/** The right side: what the model says of a film, why to look twice, and what a person says. */
export class Result {
  readonly element = h("section", { class: "result", "aria-label": "Reading", "aria-live": "polite" });
  private film: Film | null = null;
  private overruling = false;

  constructor(
    private readonly me: () => Me,
    private readonly changed: (film: Film) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  show(film: Film | null): void {
    if (film?.id !== this.film?.id) this.overruling = false;
    this.film = film;
    this.render();
  }

  /** Whether a key was for the verdict. */
  key(key: string): boolean {
    if (!this.mayReview()) return false;
    if (key === "y" && this.film?.reading?.months != null) void this.say({ verdict: "accepted", comment: this.comment() });
    else if (key === "o") this.overrule();
    else return false;
    return true;
  }

  private mayReview(): boolean {
    return this.film?.state === "done" && this.film.review === null && this.me().role !== "viewer";
  }

  private render(): void {
    const film = this.film;
    if (film === null) {
      this.element.replaceChildren();
      return;
    }
    const answer: Node[] = [h("h2", { class: "filename" }, title(film))];
    if (film.state === "skipped") {
      answer.push(h("p", { class: "headline" }, "Not read"), sentences("warn", [film.failure ?? "it is no hand by its header"]));
    } else if (film.state === "failed") {
      answer.push(h("p", { class: "headline" }, "Not read"), sentences("bad", [film.failure ?? "the reason is not known"]));
    } else if (film.reading === null) {
      answer.push(h("p", { class: "headline waiting" }, "Reading"), h("p", { class: "quiet" }, standing(film).word));
    } else {
      answer.push(...reading(film, film.reading));
    }
    const rest = film.reading === null ? [] : [this.review(film), downloads(film), facts(film, film.reading)];
    const parts = [
      h("div", { class: "answer" }, ...answer),
      h("div", { class: "rest" }, ...rest),
      h("p", { class: "fine" }, "For research use. Not a medical device. Attention is where the network looked, not a finding."),
    ];
    this.element.replaceChildren(...parts);
  }

  private review(film: Film): HTMLElement | null {
    const { review, reading } = film;
    if (review !== null) {
      const what =
        review.verdict === "accepted" ? "Accepted" : `Overruled: ${age(review.months ?? 0)}`;
      return h(
        "div",
        { class: "review done" },
        h("p", { class: "verdict" }, what),
        review.comment === "" ? null : h("blockquote", {}, review.comment),
        h("p", { class: "quiet" }, `${review.by}, ${moment(review.at)}`),
        this.me().role === "viewer"
          ? null
          : h("button", { type: "button", class: "plain", onclick: () => void this.takeBack() }, "Take back"),
      );
    }
    if (!this.mayReview()) return null;
    const readable = reading?.months != null;
    return h(
      "form",
      { class: "review", onsubmit: (event: SubmitEvent) => this.submit(event) },
      h("h3", {}, "Your reading"),
      this.overruling || !readable ? this.ageFields(film) : null,
      h("label", {}, h("span", {}, "Comment"), h("textarea", { name: "comment", rows: 2, maxlength: 2000 })),
      h(
        "div",
        { class: "buttons" },
        this.overruling || !readable
          ? h("button", { type: "submit", class: "primary" }, "Save")
          : h("button", { type: "submit", class: "primary", title: "Y" }, "Accept"),
        !readable
          ? null
          : this.overruling
            ? h("button", { type: "button", onclick: () => this.overrule(false) }, "Cancel")
            : h("button", { type: "button", title: "O", onclick: () => this.overrule() }, "Overrule"),
      ),
    );
  }

  private ageFields(film: Film): HTMLElement {
    const [years, months] = film.months === null ? ["", ""] : yearsAndMonths(film.months).map(String);
    const field = (name: string, value: string, max: number): HTMLElement =>
      h("label", {}, h("span", {}, name === "years" ? "Years" : "Months"),
        h("input", { type: "number", name, min: 0, max, step: 1, value, required: true, inputmode: "numeric" }));
    return h("div", { class: "fields" }, field("years", years ?? "", 20), field("months", months ?? "", 11));
  }

  private overrule(on = true): void {
    const comment = this.comment();
    this.overruling = on;
    this.render();
    const area = this.element.querySelector("textarea");
    if (area !== null) area.value = comment;
    this.element.querySelector<HTMLInputElement>(on ? "input[name=years]" : "textarea")?.select();
  }

  private comment(): string {
    return this.element.querySelector("textarea")?.value.trim() ?? "";
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const comment = this.comment();
    if (form.has("years")) {
      const months = Math.min(240, 12 * Number(form.get("years")) + Number(form.get("months")));
      void this.say({ verdict: "overruled", months, comment });
    } else {
      void this.say({ verdict: "accepted", comment });
    }
  }

  private async say(said: Parameters<typeof api.review>[1]): Promise<void> {
    await this.change((id) => api.review(id, said));
  }

  private async takeBack(): Promise<void> {
    await this.change(async (id) => {
      await api.takeBack(id);
      return api.film(id);
    });
  }

  private async change(act: (id: string) => Promise<Film>): Promise<void> {
    if (this.film === null) return;
    try {
      const film = await act(this.film.id);
      this.overruling = false;
      this.changed(film);
    } catch (error) {
      this.failed(error);
    }
  }
}

function reading(film: Film, told: Reading): Node[] {
  const { months, interval, flags, decision, standing: beside } = told;
  const lived = told.chronological_age?.months ?? null;
  const parts: Node[] = [];
  if (months === null) {
    parts.push(h("p", { class: "headline" }, "No age given"));
  } else {
    const [years, rest] = yearsAndMonths(months);
    const unit = (n: number, word: string): string => `${word}${n === 1 ? "" : "s"}`;
    parts.push(
      h("p", { class: "headline", "aria-label": `Bone age ${age(months)}` },
        h("strong", {}, String(years)), h("span", {}, unit(years, "year")),
        h("strong", {}, String(rest)), h("span", {}, unit(rest, "month"))),
      h("p", { class: "quiet numbers" }, `${months.toFixed(1)} months · ${sexWord(told.sex).toLowerCase()}${told.sex_source === "header" ? ", by the file" : ""}`),
      scale(months, interval, film.review?.months ?? null),
    );
  }
  if (interval !== null && months !== null) {
    const percent = Math.round(100 * interval.level);
    parts.push(
      h("p", { class: "interval" }, h("span", { class: "quiet" }, `${percent} % interval`), ` ${shortAge(interval.lower)} to ${shortAge(interval.upper)}`),
    );
  }
  if (lived !== null) {
    const ahead = months === null ? "" : `, ${difference(months - lived)}`;
    parts.push(h("p", { class: "interval" }, h("span", { class: "quiet" }, "Chronological age"), ` ${shortAge(lived)}${ahead}`));
    if (beside !== null) parts.push(h("p", { class: "interval" }, h("span", { class: "quiet" }, beside.reference), ` ${deviation(beside.sds)}`));
  }
  const words = { accepted: "Nothing speaks against it", flagged: "Look twice", refused: "Refused" };
  const tone = { accepted: "calm", flagged: "warn", refused: "bad" }[decision];
  parts.push(h("p", { class: `decision standing ${tone}` }, words[decision]));
  if (flags.length > 0) parts.push(sentences(tone, flags.map((flag) => flag.message)));
  return parts;
}

/** How many standard deviations from what is usual. */
function deviation(sds: number | null): string {
  if (sds === null) return "no score: outside its table, or sex unknown";
  return `${sds < 0 ? "\u2212" : "+"}${Math.abs(sds).toFixed(1)} SD`;
}

/** How far the bones are from the calendar. */
function difference(months: number): string {
  const whole = Math.round(Math.abs(months));
  if (whole === 0) return "the same";
  return `bones ${whole} month${whole === 1 ? "" : "s"} ${months > 0 ? "ahead" : "behind"}`;
}

/** The reading on a scale from birth to 19 years, with the interval as a band. */
function scale(months: number, interval: Reading["interval"], person: number | null): SVGElement {
  const x = (age: number): number => 4 + (292 * (Math.min(SCALE[1], Math.max(SCALE[0], age)) - SCALE[0])) / (SCALE[1] - SCALE[0]);
  const parts: Node[] = [svg("line", { class: "axis", x1: x(SCALE[0]), x2: x(SCALE[1]), y1: 16, y2: 16 })];
  for (let year = 0; year <= 18; year += 2) {
    const place = x(12 * year);
    parts.push(svg("line", { class: "axis", x1: place, x2: place, y1: 16, y2: 21 }));
    if (year % 6 === 0) parts.push(svg("text", { x: place, y: 33, "text-anchor": year === 0 ? "start" : "middle" }, document.createTextNode(`${year} y`)));
  }
  if (interval !== null) {
    const [from, to] = [x(interval.lower), x(interval.upper)];
    parts.push(svg("rect", { class: "band", x: from, y: 11, width: Math.max(2, to - from), height: 10, rx: 5 }));
  }
  parts.push(svg("circle", { class: "dot", cx: x(months), cy: 16, r: 5 }));
  if (person !== null) parts.push(svg("path", { class: "person", d: `M${x(person)} 10l-5-8h10z` }));
  return svg("svg", { class: "scale", viewBox: "0 0 300 36", role: "img", "aria-label": "The age on a scale from 0 to 19 years" }, ...parts);
}

/** The reading as files. */
function downloads(film: Film): HTMLElement {
  const words: [string, string][] = [["report.pdf", "PDF"], ["overlay.png", "Picture"], ["fhir.json", "FHIR"]];
  if (film.reading?.dicom) words.push(["sr.dcm", "DICOM SR"], ["sc.dcm", "DICOM SC"], ["pdf.dcm", "DICOM PDF"]);
  const links = words.map(([name, word]) => h("a", { href: api.result(film.id, name), download: true }, word));
  return h("p", { class: "downloads" }, h("span", { class: "quiet" }, "Save as"), ...links);
}

function facts(film: Film, { model, duration_ms, version }: Reading): HTMLElement {
  const row = (term: string, value: string): Node[] => [h("dt", {}, term), h("dd", {}, value)];
  return h(
    "details",
    { class: "facts" },
    h("summary", {}, "About this reading"),
    h("dl", {},
      ...row("Received", moment(film.received_at)),
      ...(film.read_at === null ? [] : row("Read", `${moment(film.read_at)}, in ${duration_ms} ms`)),
      ...row("Model", model.name),
      ...row("Digest", model.digest.slice(0, 12)),
      ...row("Program", `boneage ${version}`),
      ...row("Film", film.id.slice(0, 12))),
  );
}

const sentences = (tone: string, texts: string[]): HTMLElement =>
  h("ul", { class: "flags" }, ...texts.map((text) => h("li", { class: tone }, capital(text))));
