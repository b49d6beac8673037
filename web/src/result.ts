import type { Film, Me, Reading } from "./api.ts";
import * as api from "./api.ts";
import { h, svg } from "./dom.ts";
import { Growth } from "./growth.ts";
import { inWords, number, t, tenths } from "./language.ts";
import { age, flagSentence, inEnglish, moment, monthsInWords, range, type Sentence, shortAge, signed, standing, title, yearsAndMonths } from "./words.ts";

/** Ages of the scale under the reading, in months. */
const SCALE = [0, 228] as const;

/** The right side: what the model says of a film, why to look twice, and what a person says. */
export class Result {
  readonly element = h("section", { class: "result", "aria-label": t("reading.name") });
  /** The reading itself is told by screen readers when it comes; what can be done with it is not. */
  private readonly answer = h("div", { class: "answer", "aria-live": "polite" });
  private film: Film | null = null;
  private overruling = false;
  /** What the automatic way gave, where the film was laid down by hand. */
  private readonly automatic = h("p", { class: "quiet" });
  private readonly growth: Growth;

  constructor(
    private readonly me: () => Me,
    private readonly changed: (film: Film) => void,
    private readonly failed: (error: unknown) => void,
    private readonly again: { lay: () => void; automatic: () => void },
  ) {
    this.growth = new Growth(failed);
  }

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

  /** Whether the film may be read again: somebody's verdict on the present reading comes first. */
  mayReadAgain(): boolean {
    return this.mayReview();
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
      answer.push(h("p", { class: "headline" }, t("reading.unread")), whyNot("warn", t("reading.skipped"), film.failure));
    } else if (film.state === "failed") {
      answer.push(h("p", { class: "headline" }, t("reading.unread")), whyNot("bad", t("reading.failed"), film.failure));
    } else if (film.reading === null) {
      answer.push(h("p", { class: "headline waiting" }, t("reading.waiting")), h("p", { class: "quiet" }, standing(film).word));
    } else {
      answer.push(...reading(film, film.reading), ...this.byHand(film, film.reading));
    }
    if (film.reading !== null) this.growth.show(film);
    const rest = film.reading === null ? [] : [this.review(film), this.growth.element, downloads(film), facts(film, film.reading)];
    this.answer.replaceChildren(...answer);
    const parts = [
      this.answer,
      h("div", { class: "rest" }, ...rest),
      h("p", { class: "fine" }, `${t("page.research")} ${t("page.attention")}`),
    ];
    this.element.replaceChildren(...parts);
  }

  /** How the film was laid down, and the other way to do it. */
  private byHand(film: Film, { by_hand }: Reading): Node[] {
    const button = (text: string, act: () => void): Node[] =>
      this.mayReadAgain() ? [h("button", { type: "button", class: "plain lay", onclick: act }, text)] : [];
    if (by_hand === null) return button(t("lay.offer"), this.again.lay);
    this.automatic.textContent = "";
    void this.tellAutomatic(film);
    return [h("p", { class: "by-hand" }, layingInWords(by_hand)), this.automatic, ...button(t("lay.automatic"), this.again.automatic)];
  }

  private async tellAutomatic(film: Film): Promise<void> {
    try {
      const automatic = (await api.former(film.id)).find((reading) => reading.by_hand === null);
      if (automatic === undefined || this.film?.id !== film.id) return;
      const told = automatic.months === null ? t("reading.none") : age(automatic.months);
      this.automatic.textContent = t("lay.before", { age: told });
    } catch (error) {
      this.failed(error);
    }
  }

  private review(film: Film): HTMLElement | null {
    const { review, reading } = film;
    if (review !== null) {
      const what =
        review.verdict === "accepted" ? t("review.accepted") : t("review.overruled", { age: age(review.months ?? 0) });
      return h(
        "div",
        { class: "review done" },
        h("p", { class: "verdict" }, what),
        review.comment === "" ? null : h("blockquote", {}, review.comment),
        h("p", { class: "quiet" }, `${review.by}, ${moment(review.at)}`),
        this.me().role === "viewer"
          ? null
          : h("button", { type: "button", class: "plain", onclick: () => void this.takeBack() }, t("review.takeBack")),
      );
    }
    if (!this.mayReview()) return null;
    const readable = reading?.months != null;
    return h(
      "form",
      { class: "review", onsubmit: (event: SubmitEvent) => this.submit(event) },
      h("h3", {}, t("review.yours")),
      this.overruling || !readable ? this.ageFields(film) : null,
      h("label", {}, h("span", {}, t("review.comment")), h("textarea", { name: "comment", rows: 2, maxlength: 2000 })),
      h(
        "div",
        { class: "buttons" },
        this.overruling || !readable
          ? h("button", { type: "submit", class: "primary" }, t("review.save"))
          : h("button", { type: "submit", class: "primary", title: "Y" }, t("review.accept")),
        !readable
          ? null
          : this.overruling
            ? h("button", { type: "button", onclick: () => this.overrule(false) }, t("review.cancel"))
            : h("button", { type: "button", title: "O", onclick: () => this.overrule() }, t("review.overrule")),
      ),
    );
  }

  private ageFields(film: Film): HTMLElement {
    const [years, months] = film.months === null ? ["", ""] : yearsAndMonths(film.months).map(String);
    const field = (name: "years" | "months", value: string, max: number): HTMLElement =>
      h("label", {}, h("span", {}, t(`review.${name}`)),
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
    parts.push(h("p", { class: "headline" }, t("reading.none")));
  } else {
    const [years, rest] = yearsAndMonths(months);
    const large = (count: number, unit: "year" | "month"): Node[] => {
      const [digits, word] = inWords(count, unit);
      return [h("strong", {}, digits), h("span", {}, word)];
    };
    parts.push(
      h("p", { class: "headline", "aria-label": t("reading.boneAge", { age: age(months) }) }, ...large(years, "year"), ...large(rest, "month")),
      h("p", { class: "quiet numbers" }, `${tenths(months)} ${inWords(2, "month")[1]} · ${whose(told)}`),
      scale(months, interval, film.review?.months ?? null),
    );
  }
  if (interval !== null && months !== null) {
    const percent = number(interval.level, { style: "percent" });
    parts.push(
      h("p", { class: "interval" }, h("span", { class: "quiet" }, t("reading.interval", { percent })), ` ${range(interval)}`),
    );
  }
  if (lived !== null) {
    const ahead = months === null ? "" : `, ${difference(months - lived)}`;
    parts.push(h("p", { class: "interval" }, h("span", { class: "quiet" }, t("reading.chronological")), ` ${shortAge(lived)}${ahead}`));
    if (beside !== null) parts.push(h("p", { class: "interval" }, h("span", { class: "quiet" }, beside.reference), ` ${deviation(beside.sds)}`));
  }
  const tone = { accepted: "calm", flagged: "warn", refused: "bad" }[decision];
  parts.push(h("p", { class: `decision standing ${tone}` }, t(`reading.${decision}`)));
  // What a person did is told below, and no reason to look twice.
  const reasons = flags.filter(({ code }) => code !== "by_hand");
  if (reasons.length > 0) parts.push(sentences(tone, reasons.map(flagSentence)));
  return parts;
}

/** `Turned by hand by 15° clockwise, cropped by hand` */
function layingInWords({ turn, mirrored, crop }: NonNullable<Reading["by_hand"]>): string {
  const degrees = number(Math.abs(turn), { style: "unit", unit: "degree", unitDisplay: "narrow", maximumFractionDigits: 1 });
  const words = [
    turn === 0 ? null : t(turn < 0 ? "lay.wasTurnedLeft" : "lay.wasTurnedRight", { degrees }),
    mirrored ? t("lay.wasMirrored") : null,
    crop === null ? null : t("lay.wasCropped"),
  ].filter((word) => word !== null);
  return t("lay.was", { how: words.length === 0 ? t("lay.asItLies") : words.join(", ") });
}

/** How many standard deviations from what is usual. */
function deviation(sds: number | null): string {
  if (sds === null) return t("reading.noScore");
  return t("reading.sd", { sds: signed(sds) });
}

/** How far the bones are from the calendar. */
function difference(months: number): string {
  const whole = Math.round(Math.abs(months));
  if (whole === 0) return t("reading.same");
  return t(months > 0 ? "reading.ahead" : "reading.behind", { months: monthsInWords(whole) });
}

/** The reading on a scale from birth to 19 years, with the interval as a band. */
function scale(months: number, interval: Reading["interval"], person: number | null): SVGElement {
  const x = (age: number): number => 4 + (292 * (Math.min(SCALE[1], Math.max(SCALE[0], age)) - SCALE[0])) / (SCALE[1] - SCALE[0]);
  const parts: Node[] = [svg("line", { class: "axis", x1: x(SCALE[0]), x2: x(SCALE[1]), y1: 16, y2: 16 })];
  for (let year = 0; year <= 18; year += 2) {
    const place = x(12 * year);
    parts.push(svg("line", { class: "axis", x1: place, x2: place, y1: 16, y2: 21 }));
    if (year % 6 === 0) parts.push(svg("text", { x: place, y: 33, "text-anchor": year === 0 ? "start" : "middle" }, document.createTextNode(t("reading.year", { year: number(year) }))));
  }
  if (interval !== null) {
    const [from, to] = [x(interval.lower), x(interval.upper)];
    parts.push(svg("rect", { class: "band", x: from, y: 11, width: Math.max(2, to - from), height: 10, rx: 5 }));
  }
  parts.push(svg("circle", { class: "dot", cx: x(months), cy: 16, r: 5 }));
  if (person !== null) parts.push(svg("path", { class: "person", d: `M${x(person)} 10l-5-8h10z` }));
  return svg("svg", { class: "scale", viewBox: "0 0 300 36", role: "img", "aria-label": t("reading.scale") }, ...parts);
}

/** The reading as files. */
function downloads(film: Film): HTMLElement {
  const words: [string, string][] = [["report.pdf", "PDF"], ["overlay.png", t("reading.picture")], ["fhir.json", "FHIR"]];
  if (film.reading?.dicom) words.push(["sr.dcm", "DICOM SR"], ["sc.dcm", "DICOM SC"], ["pdf.dcm", "DICOM PDF"]);
  const links = words.map(([name, word]) => h("a", { href: api.result(film.id, name), download: true }, word));
  return h("p", { class: "downloads" }, h("span", { class: "quiet" }, t("reading.save")), ...links);
}

function facts(film: Film, { model, duration_ms, version }: Reading): HTMLElement {
  const row = (term: string, value: string): Node[] => [h("dt", {}, term), h("dd", {}, value)];
  return h(
    "details",
    { class: "facts" },
    h("summary", {}, t("reading.about")),
    h("dl", {},
      ...row(t("reading.received"), moment(film.received_at)),
      ...(film.read_at === null ? [] : row(t("reading.read"), t("reading.readIn", { when: moment(film.read_at), time: `${number(duration_ms)} ms` }))),
      ...row(t("reading.model"), model.name),
      ...row(t("reading.digest"), model.digest.slice(0, 12)),
      ...row(t("reading.program"), `boneage ${version}`),
      ...row(t("reading.film"), film.id.slice(0, 12))),
  );
}

const sentences = (tone: string, told: Sentence[]): HTMLElement =>
  h("ul", { class: "flags" }, ...told.map(({ text, lang }) => h("li", { class: tone, lang }, text)));

/** Why a file was not read: in the page's language, with the service's reason as it tells it. */
const whyNot = (tone: string, here: string, reason: string | null): HTMLElement =>
  sentences(tone, [{ text: here, lang: null }, ...(reason === null ? [] : [inEnglish(reason)])]);

/** Whose hand was read, and who said so. */
function whose({ sex, sex_source }: Reading): string {
  const word = t(sex === null ? "reading.sexUnknown" : sex === "female" ? "reading.girl" : "reading.boy");
  return sex_source === "header" ? `${word}, ${t("reading.byHeader")}` : word;
}
